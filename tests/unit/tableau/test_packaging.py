import re
import time
import xml.etree.ElementTree as ET
from zipfile import ZipFile

import pytest

from flows.adapters.tableau.extract import MARTS
from flows.adapters.tableau.workbook import (
    WORKBOOK,
    SnowflakeConnection,
    committable,
    extract_workbook,
    snowflake_workbook,
    write_packaged_workbook,
    write_snowflake_workbook,
)
from flows.errors import BadInput, SettingsError

TEXT = WORKBOOK.read_bytes()
PRODUCTION = SnowflakeConnection("acme-shop.snowflakecomputing.com", "CHURN", "REPORTING", "MARKETING")

# As Tableau Desktop writes: other quotes, other ends of lines, a path of its own, attributes of its own.
FROM_DESKTOP = b"""<?xml version='1.0' encoding='utf-8' ?>\r
<workbook version='26.1' xmlns:user='http://www.tableausoftware.com/xml/user'>\r
  <datasources>\r
    <datasource caption='A &gt; B' inline='true' name='federated.x' version='18.1'>\r
      <connection class='federated'>\r
        <named-connections>\r
          <named-connection caption='x &gt; y' name='hyper.1'>\r
            <connection class='hyper' dbname='C:/Users/ann/a&gt;b.hyper'>\r
              <calculations/>\r
            </connection>\r
          </named-connection>\r
        </named-connections>\r
        <relation connection='hyper.1' name='T' table='[MARTS].[T]' type='table' />\r
      </connection>\r
      <group name='[G]' user:auto-column='sheet_link' />\r
    </datasource>\r
  </datasources>\r
</workbook>\r
"""


def connections(workbook):
    return [e.attrib for e in ET.fromstring(workbook).iterfind(".//named-connection/connection")]


def without_connections(workbook):
    return re.split(
        rb"(?<=>)\s*<connection (?:class=.hyper|authentication)[^>]*>(?:\s*<calculations/>\s*</connection>)?", workbook
    )


@pytest.fixture
def extract(tmp_path):
    file = tmp_path / "marketing.hyper"
    file.write_bytes(b"what hyperd wrote" * 1000)
    return file


def test_a_package_holds_the_workbook_and_its_extract_where_the_workbook_looks_for_it(tmp_path, extract):
    write_packaged_workbook(WORKBOOK, extract, tmp_path / "marketing.twbx")
    with ZipFile(tmp_path / "marketing.twbx") as package:
        assert package.testzip() is None
        assert package.namelist() == ["marketing.twb", "Data/marketing.hyper"]
        assert package.read("Data/marketing.hyper") == extract.read_bytes()
        assert {c["dbname"] for c in connections(package.read("marketing.twb"))} == {"Data/marketing.hyper"}
        assert package.read("marketing.twb") == TEXT
    assert sorted(file.name for file in tmp_path.iterdir()) == ["marketing.hyper", "marketing.twbx"]


def test_packages_of_the_same_files_are_the_same_bytes(tmp_path, extract, monkeypatch):
    write_packaged_workbook(WORKBOOK, extract, tmp_path / "marketing.twbx")
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    (tmp_path / "elsewhere").mkdir()
    write_packaged_workbook(WORKBOOK, extract, tmp_path / "elsewhere" / "marketing.twbx")
    assert (tmp_path / "marketing.twbx").read_bytes() == (tmp_path / "elsewhere" / "marketing.twbx").read_bytes()


def test_for_production_every_source_is_in_snowflake_and_no_secret_is_in_the_file():
    found = connections(snowflake_workbook(TEXT, PRODUCTION))
    assert len(found) == len(MARTS)
    for connection in found:
        assert connection["class"] == "snowflake"
        assert connection["server"] == "acme-shop.snowflakecomputing.com"
        assert (connection["dbname"], connection["schema"]) == ("CHURN", "MARTS")
        assert (connection["warehouse"], connection["service"]) == ("REPORTING", "MARKETING")
        assert (connection["authentication"], connection["username"]) == ("auth-keypair", "")
        assert not {"password", "private-key", "passphrase"} & set(connection)


@pytest.mark.parametrize("workbook", [TEXT, FROM_DESKTOP], ids=["ours", "as Desktop writes it"])
def test_only_the_connections_change_and_every_other_byte_stays(workbook):
    connected = snowflake_workbook(workbook, PRODUCTION)
    assert connected != workbook
    assert len(without_connections(workbook)) == len(connections(workbook)) + 1
    assert without_connections(connected) == without_connections(workbook)


def test_the_way_to_production_and_back_leads_to_the_same_workbook():
    assert extract_workbook(snowflake_workbook(TEXT, PRODUCTION)) == TEXT


def test_a_path_that_desktop_wrote_is_gone_from_the_package():
    assert b"ann" not in extract_workbook(FROM_DESKTOP)


def test_pictures_that_desktop_saves_along_are_not_committed():
    pictures = b"  <thumbnails>\r\n    <thumbnail name='Risk list'>iVBO</thumbnail>\r\n  </thumbnails>\r\n</workbook>"
    assert committable(FROM_DESKTOP.replace(b"</workbook>", pictures)) == committable(FROM_DESKTOP)
    assert committable(TEXT) == TEXT


def test_what_tableau_of_2026_saves_is_committed_in_the_format_that_2024_opens():
    newer = (
        TEXT.replace(b'version="18.1" source-build', b'version="26.2" source-build', 1)
        .replace(b' version="18.1" xmlns:user', b' version="26.2" xmlns:user', 1)
        .replace(TEXT[TEXT.index(b"<Acc") : TEXT.index(b"\n  </document-format-change")], b"<ManifestByVersion />")
        .replace(
            b"\n</workbook>",
            b"\n  <explain-data enabled-for-viewer='true'><explanation-types/></explain-data>\n</workbook>",
        )
    )
    assert b"26.2" in newer
    assert b"ManifestByVersion" in newer
    assert committable(newer) == TEXT


def test_names_with_odd_characters_are_written_as_they_are():
    odd = SnowflakeConnection("acme.eu-central-1.snowflakecomputing.com", 'The "Churn" DB', "A&B", "<role>", "M'S")
    connection = connections(snowflake_workbook(TEXT, odd))[0]
    assert [connection[name] for name in ("dbname", "warehouse", "service", "schema")] == [
        'The "Churn" DB', "A&B", "<role>", "M'S",
    ]  # fmt: skip


def test_the_workbook_for_production_replaces_the_one_before_at_once(tmp_path):
    file = tmp_path / "marketing.twb"
    file.write_bytes(b"before")
    write_snowflake_workbook(WORKBOOK, PRODUCTION, file)
    assert file.read_bytes() == snowflake_workbook(TEXT, PRODUCTION)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"server": "https://acme.snowflakecomputing.com"}, "without https"),
        ({"server": "acme"}, "ACCOUNT.snowflakecomputing.com"),
        ({"server": ""}, "lacks its server"),
        ({"warehouse": ""}, "lacks its warehouse"),
        ({"role": ""}, "lacks its role"),
    ],
)
def test_a_connection_that_cannot_work_is_refused(changed, message):
    fields = {"server": PRODUCTION.server, "database": "CHURN", "warehouse": "REPORTING", "role": "MARKETING"}
    with pytest.raises(SettingsError, match=message):
        snowflake_workbook(TEXT, SnowflakeConnection(**fields | changed))


@pytest.mark.parametrize(
    ("workbook", "message"),
    [
        (b"PK\x03\x04", "not as .twbx"),
        (b"<workbook/>", "names no connection"),
        (TEXT.replace(b"</named-connection>", b"</named-connection >", 1), f"{len(MARTS) - 1} could be"),
    ],
)
def test_what_is_no_workbook_of_ours_is_refused(workbook, message):
    with pytest.raises(BadInput, match=message):
        extract_workbook(workbook)


def test_a_package_without_an_extract_is_refused_and_the_one_before_stays(tmp_path):
    (tmp_path / "marketing.twbx").write_bytes(b"before")
    with pytest.raises(BadInput, match="without data"):
        write_packaged_workbook(WORKBOOK, tmp_path / "none.hyper", tmp_path / "marketing.twbx")
    with pytest.raises(BadInput, match="is missing"):
        write_packaged_workbook(tmp_path / "none.twb", tmp_path / "none.hyper", tmp_path / "marketing.twbx")
    assert (tmp_path / "marketing.twbx").read_bytes() == b"before"
