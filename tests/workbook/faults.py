"""Faults that an edit may bring into the workbook, and the checks that see each of them."""

import re
from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True)
class Fault:
    """`changes`: texts and what replaces them, on one worksheet if `sheet` says which; or a field whose filter is taken
    off the worksheet. `caught_by`: all the checks that see it."""

    caught_by: set[str]
    changes: dict[str, str] | None = None
    sheet: str | None = None
    without_filter: str | None = None

    def brought_into(self, workbook: bytes) -> bytes:
        start, end = 0, len(workbook)
        if self.sheet:
            start = workbook.index(f'<worksheet name="{self.sheet}">'.encode())
            end = workbook.index(b"</worksheet>", start)
        part = workbook[start:end]
        for old, new in (self.changes or {}).items():
            assert old.encode() in part, f"the fault no longer fits the workbook: {old}"
            part = part.replace(old.encode(), new.encode())
        if self.without_filter:
            part = _without_filter(part, re.escape(self.without_filter.encode()))
        return workbook[:start] + part + workbook[end:]


def normalised(workbook: bytes) -> bytes:
    """The same document with double quotes and attributes in alphabetical order: faults are written for that."""
    root = etree.fromstring(workbook)
    for element in root.iter(etree.Element):
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
    return etree.tostring(root)


def _without_filter(part: bytes, name: bytes) -> bytes:
    """As Tableau would save it."""
    part, filters = re.subn(rb'\s*<filter [^>]*\.%s".*?</filter>' % name, b"", part, flags=re.DOTALL)
    part, slices = re.subn(rb"\s*<column>[^<]*%s</column>" % name, b"", part)
    assert (filters, slices) == (1, 1), "the fault no longer fits the workbook"
    return part


FAULTS = {
    "an element that Tableau does not know": Fault(
        {"schema"}, {'<mark class="Text"/>': '<marks class="Text"/>'}, sheet="As of"
    ),
    "an attribute value that Tableau does not know": Fault(
        {"schema"}, {'<mark class="Square"/>': '<mark class="Sqare"/>'}, sheet="RFM grid"
    ),
    "a column that the mart does not have": Fault(
        {"answers", "references"}, {"<remote-name>RECENCY_DAYS<": "<remote-name>RECENCY<"}
    ),
    "a column in small letters, which Snowflake would not find": Fault(
        {"answers", "references"}, {"<remote-name>EXPECTED_SPEND<": "<remote-name>expected_spend<"}
    ),
    "a column of another type than the mart's": Fault(
        {"references"},
        {'"real" default-format="n#,##0;-#,##0" name="[expected_loss]"': '"integer" name="[expected_loss]"'},
    ),
    "a table that is not in the extract": Fault(
        {"answers", "references"}, {"[MARTS].[COHORT_RETENTION]": "[MARTS].[RETENTION]"}
    ),
    "a calculation that cannot be read": Fault(
        {"answers", "references"}, {"AVG([churn_probability])": "AVG([churn_probability]"}
    ),
    "a calculation of a field that is not there": Fault(
        {"answers", "references"}, {"AVG([churn_probability])": "AVG([churn_risk])"}
    ),
    "a calculation that mixes customers and totals": Fault(
        {"answers", "references"},
        {"SUM([active_customers]) / SUM([customers])": "[active_customers] / SUM([customers])"},
    ),
    "a calculation of another type than declared": Fault(
        {"answers", "references"}, {"COUNTD([customer_id])": "MAX([customer_id])"}
    ),
    "a parameter that does not exist": Fault(
        {"answers", "references"}, {"[Parameters].[p_queue]": "[Parameters].[p_list]"}
    ),
    "a calculation changed in one of its two places": Fault(
        {"references"}, {"AVG([churn_probability])": "SUM([churn_probability])"}, sheet="RFM grid"
    ),
    "a sheet on a dashboard that does not exist": Fault(
        {"references"}, {'name="Churn distribution" w=': 'name="Churn histogram" w='}
    ),
    "a worksheet without a window": Fault(
        {"references"},
        {'hidden="true" name="Segments"': 'hidden="true" name="Segment"'},
    ),
    "an action from a sheet that does not exist": Fault(
        {"references"}, {'worksheet="Segments"': 'worksheet="Segment treemap"'}
    ),
    "an action to a dashboard that does not exist": Fault(
        {"references"}, {'<param name="target" value="Risk list"/>': '<param name="target" value="Contacts"/>'}
    ),
    "a CRM link to a field that the list does not show": Fault(
        {"references"}, {'expression="&lt;[c_crm_link]&gt;"': 'expression="&lt;[email]&gt;"'}
    ),
    "a filter action on a field that its targets do not filter by": Fault(
        {"references"}, {"%5D.%5Bsegment%5D~s0": "%5D.%5Br_score%5D~s0"}
    ),
    "a tooltip about a field that the marks do not know": Fault(
        {"references"},
        {"probability &lt;[federated.customers].[usr:c_average_": "probability &lt;[federated.customers].[avg:churn_"},
        sheet="Segments",
    ),
    "a colour by a field that was not declared": Fault(
        {"answers", "references"},
        {'<color column="[federated.customers].[none:c_risk': '<color column="[federated.customers].[none:risk'},
        sheet="Countries",
    ),
    "a zone over another": Fault(
        {"references"}, {'name="Customers" show-title="false" w="1': 'name="Customers" show-title="false" w="2'}
    ),
    "two zones of one id": Fault({"references"}, {'id="6" name="Customers"': 'id="5" name="Customers"'}),
    "two sheets of one id": Fault(
        {"references", "schema"}, {"{D0566123-D083-59A8-B221-2771296675EE}": "{FCA96CAC-89C2-521C-98F3-0EFBB001893F}"}
    ),
    "a path of somebody's machine": Fault(
        {"commit", "references"}, {'dbname="Data/marketing.hyper"': 'dbname="C:/Users/ann/marketing.hyper"'}
    ),
    "pictures of customers, which Desktop saves along": Fault(
        {"commit"},
        {"</windows>": "</windows><thumbnails><thumbnail height='9' name='As of' width='9'/></thumbnails>"},
    ),
    "a sum that became an average": Fault(
        {"answers"},
        {'derivation="Sum"': 'derivation="Avg"', "[sum:expected_loss:qk]": "[avg:expected_loss:qk]"},
        sheet="Expected loss",
    ),
    "a share of everything for a share of each cohort": Fault(
        {"answers"}, {"SUM([active_customers]) / SUM([customers])": "AVG([active_customers] / [customers])"}
    ),
    "customers who opted out on the list": Fault(
        {"answers"}, sheet="Customers to contact", without_filter="[none:may_be_contacted:nk]"
    ),
    "a list of all queues in one": Fault(
        {"answers"}, sheet="Customers to contact", without_filter="[none:c_is_in_queue:nk]"
    ),
    "a list of those in other queues": Fault({"answers"}, {"[c_queue] = [Par": "[c_queue] &lt;&gt; [Par"}),
    "a queue that selecting cannot list, as the parameter has another name for it": Fault(
        {"answers"}, {"REPLACE([queue], &quot;_&quot;, &quot; &quot;)": "[queue]"}
    ),
    "a page without a layout for phones": Fault({"references"}, {'name="Phone"': 'name="Tablet"'}),
    "a worksheet that phones lack": Fault(
        {"references"}, {'is-fixed="true" name="Lifecycle"': 'is-fixed="true" name="Segments"'}
    ),
    "saved in the format of 2026": Fault(
        {"commit", "schema"}, {'source-platform="win" version="18.1"': 'source-platform="win" version="26.1"'}
    ),
    "customers without a score among the new ones": Fault(
        {"answers"}, {"IFNULL([lifecycle], &quot;not scored&quot;)": "IFNULL([lifecycle], &quot;new&quot;)"}
    ),
    "definitions in the order of the alphabet": Fault(
        {"answers", "references"}, {"[sum:position:qk]": "[sum:window_days:qk]"}, sheet="Segment definitions"
    ),
    "a budget that is spent on people who are filtered away afterwards": Fault(
        {"answers"},
        {'[none:may_be_contacted:nk]" context="true"': '[none:may_be_contacted:nk]"'},
        sheet="Customers to contact",
    ),
    "a budget that nobody set": Fault(
        {"answers"}, {'count="[Parameters].[p_contact_budget]"': 'count="50"'}, sheet="Customers to contact"
    ),
    "a list by money spent instead of the value in the queue": Fault(
        {"answers"}, {"ZN([queue_value]) + [monetary] / 1000000000": "[monetary]"}
    ),
    "the smallest first": Fault({"answers"}, {'direction="DESC"': 'direction="ASC"'}, sheet="Segments"),
    "old measurements among the newest": Fault(
        {"answers"}, {"[measured_at] = {FIXED [measure] : MAX([measured_at])}": "NOT ISNULL([measured_at])"}
    ),
    "models that score no longer among the evidence": Fault(
        {"answers"}, {"[evidence] = &quot;realised&quot; OR ": "NOT ISNULL([evidence]) OR "}
    ),
    "features among the measures": Fault(
        {"answers"}, {'function="except"': 'function="union"'}, sheet="Measures and limits"
    ),
    "a campaign believed whose draw was off": Fault(
        {"answers"}, {"IF [is_sample_ratio_off] THEN 1 ELSE 0 END": "IF [is_sample_ratio_off] THEN 0 ELSE 0 END"}
    ),
    "no day for those who are not expected soon": Fault(
        {"answers"}, {"&quot;if they come back: &quot; + STR([next_order_if_back_on])": "STR([next_order_on])"}
    ),
    "unknown countries left out": Fault({"answers"}, {"IFNULL([country], &quot;unknown&quot;)": "[country]"}),
}
