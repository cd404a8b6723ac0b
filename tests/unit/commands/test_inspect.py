"""A file that is not understood is shown with the entry to write: valid YAML, the questions as comments."""

import random

import pytest
import yaml

from flows.commands.inspect import inspect
from flows.errors import BadInput
from flows.settings import Settings
from flows.sources.connections import Connection

HEADER = "Bestell-Info;Käufer: Nr;Kauf-Tag #;Brutto, EUR;Notiz"


@pytest.fixture
def look(tmp_path):
    def look(text, **settings):
        (tmp_path / "u.csv").write_text(text)
        inspect(Settings(data_dir=tmp_path / "data", orders=str(tmp_path / "u.csv"), **settings))

    return look


def lines(count=300):
    rng = random.Random(1)
    for i in range(count):
        day = f"{rng.randint(1, 28):02}.{rng.randint(1, 12):02}.2024"
        yield f"{1_000 + i};K{rng.randint(1, 90):03};{day};{rng.randint(5, 200)},{rng.randint(0, 99):02};"


def test_columns_that_nobody_knows_are_asked_for_with_those_that_may_be_them(look):
    with pytest.raises(BadInput) as refused:
        look("\n".join([HEADER, *lines()]))
    seen, written = str(refused.value).split("look again with SOURCE=my_shop:\n\n")
    assert "  Käufer: Nr: for example K0" in seen
    assert "  Notiz: blank" in seen
    read = yaml.safe_load(written)["my_shop"]
    assert Connection.model_validate(read).order_lines.columns == {
        "customer_id": "Käufer: Nr", "ordered_at": "Kauf-Tag #", "amount": "Brutto, EUR",
    }  # fmt: skip
    assert "# which column tells customers apart?" in written
    assert "# amount: Bestell-Info  # for example 1000, 300 values" in written


def test_what_is_known_stays_in_the_entry_and_what_nothing_fits_stays_open(look):
    with pytest.raises(BadInput) as refused:
        look("customer_id,when,amount\n" + "".join(f"A{i % 7},soon,{i}.50\n" for i in range(30)))
    read = yaml.safe_load(str(refused.value).split("SOURCE=my_shop:\n\n")[1])["my_shop"]
    assert read["order_lines"]["columns"] == {
        "customer_id": "customer_id", "amount": "amount", "ordered_at": "<the header of that column>",
    }  # fmt: skip


def test_without_a_file_there_is_nothing_to_look_at(tmp_path):
    with pytest.raises(BadInput, match="Name the file to look at"):
        inspect(Settings(data_dir=tmp_path))


@pytest.mark.whole_run
def test_a_file_that_is_understood_is_shown_as_a_run_would_read_it(look, capsys):
    text = "Order No;Customer;Date;Total\n" + "\n".join(";".join(line.split(";")[:4]) for line in lines())
    look(text)
    said = capsys.readouterr().out
    assert "300 rows in" in said
    assert ["Customer", "K009", "customer_id", "K009"] in [line.split() for line in said.splitlines()]
    assert "300 orders of 8" in said
    assert "in all" in said
    assert "          customer_id: Customer\n" in said
