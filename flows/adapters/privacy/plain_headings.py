"""What rows of a relation are, in words for the person whom they are about."""

BY_RELATION = {
    "marts.marketing_customers": "How the shop sees this customer at present",
    "marts.customer_rfm": "The segment, and the figures it is from",
    "marts.customer_features": "What the forecasts are made from",
    "marts.churn_predictions": "Forecasts of whether they buy again, and how much",
    "marts.prediction_outcomes": "Earlier forecasts, and what came",
    "marts.campaign_targets": "Campaigns that chose this customer, or left them out for comparison",
    "marts.campaign_sends": "What campaigns sent",
    "marts.campaign_outcomes": "What they bought after campaigns",
    "marts.segment_activations": "What other services were last given",
    "intermediate.int_customer_identities": "Customer ids that are taken for one person",
    "intermediate.int_customer_emails": "Whose each e-mail address is",
    "intermediate.int_identity_links": "What connects customer ids",
    "intermediate.int_training_snapshots": "Past figures from which forecasts are learnt",
    "raw.unreadable_lines": "Lines of order files that could not be read",
    "raw.unreadable_contacts": "Lines of contact files that could not be read",
    "raw.rejected_rows": "Records that could not be used, and why",
}
RECEIVED = {
    "order_lines": "Orders, as they were received",
    "contacts": "Contact data, as they were received",
    "deals": "Orders, as they were received",
    "line_items": "What was ordered, as it was received",
    "email_events": "E-mails sent, opened and clicked, as it was received",
}


def heading_of(relation: str) -> str:
    schema, table = relation.split(".")
    if schema.startswith("raw_"):
        return RECEIVED.get(table, f"Received: {table.replace('_', ' ')}")
    words = table.rpartition("__")[2].removeprefix("int_").replace("_", " ")
    return BY_RELATION.get(relation, f"A step on the way: {words}")
