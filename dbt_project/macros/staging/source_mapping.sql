{# Text of one of our columns as a source maps it; NULL where the source has none. #}
{% macro mapped_text(mapping, column) -%}
    {%- set name = mapping.columns.get(column) -%}
    {%- if not name -%} cast(null as varchar)
    {%- else -%}
        nullif(trim(cast({{ name if mapping.model else raw_column(name) }} as varchar)), '')
    {%- endif -%}
{%- endmacro %}

{#
  A number from text in a mapping's NumberFormat; NULL where the text does not fit it. Without a format: a plain number.
#}
{% macro parse_number(text, format) -%}
    {%- if format and format.pattern -%}
    {%- set bare = namespace(text=text) -%}
    {%- for currency in format.currencies -%}
        {%- set bare.text = "replace(" ~ bare.text ~ ", '" ~ currency | replace("'", "''") ~ "', '')" -%}
    {%- endfor -%}
    {%- set signed = namespace(text=text) -%}
    {%- for no_cents in ('--', '-', '–', '—') -%}  {#- 12,- is no negative number -#}
        {%- set signed.text = "replace(" ~ signed.text ~ ", '" ~ (format.replacements and ',' or '.') ~ no_cents ~ "', '')" -%}
    {%- endfor -%}
    case when {{ matches(text, format.pattern) }} then try_cast(
        case when {{ signed.text }} <> translate({{ signed.text }}, '-−–(', '') then '-' else '' end
        || translate({{ bare.text }}, '{{ format.characters | replace("'", "''") }}', '{{ format.replacements }}')
        as decimal(18, 4)
    ) end
    {%- else -%}
    try_cast({{ text }} as decimal(18, 4))
    {%- endif -%}
{%- endmacro %}

{# The currency that is written beside an amount, as its ISO code; NULL where none is, or where several are written so. #}
{% macro currency_of(text, format) -%}
    {%- set codes = (format.currencies if format else {}).items() | selectattr(1) | list -%}
    {%- if codes -%}
    case
        {%- for currency, code in codes %}
        when position('{{ currency | replace("'", "''") }}' in {{ text }}) > 0 then '{{ code }}'
        {%- endfor %}
    end
    {%- else -%} cast(null as varchar)
    {%- endif -%}
{%- endmacro %}

{#
  A timestamp without time zone from text in a mapping's TimestampFormat; NULL where the text does not fit it. A moment
  with an offset keeps the local time that is written, or is turned into that of `timezone`.
#}
{% macro parse_timestamp(text, format, timezone=none) -%}
    {%- set format = format or {'formats': ['iso'], 'rewrites': [], 'has_offset': false} -%}
    {%- set written = namespace(text=text) -%}
    {%- for pattern, replacement in format.rewrites -%}
        {%- set written.text = replace_matches(written.text, pattern, replacement) -%}
    {%- endfor -%}
    {%- set local = replace_matches(written.text, '(:\\d\\d(\\.\\d+)?( ?[AaPp][Mm])?)[+-]\\d\\d:\\d\\d$', '\\1') if format.has_offset else written.text -%}
    {%- set parsed = parse_local_timestamp(local, format.formats) -%}
    {%- if timezone and format.has_offset -%}
    case
        when {{ matches(written.text, '.*:\\d\\d(\\.\\d+)?( ?[AaPp][Mm])?[+-]\\d\\d:\\d\\d') }}
            then {{ in_time_zone(parsed, 'right(' ~ written.text ~ ', 6)', timezone) }}
        else {{ parsed }}
    end
    {%- elif timezone and format.formats[0].startswith('unix') -%}
    {{ in_time_zone(parsed, "'+00:00'", timezone) }}
    {%- else -%}
    {{ parsed }}
    {%- endif -%}
{%- endmacro %}

{# One of our timestamp columns as a source maps it. #}
{% macro mapped_timestamp(mapping, column) -%}
    {{ parse_timestamp(mapped_text(mapping, column), mapping.timestamp_formats.get(column), mapping.timezone) }}
{%- endmacro %}

{# An e-mail address as it is compared: without spaces around it, in small letters; NULL for what is none. #}
{% macro normalised_email(text) -%}
    case when {{ text }} like '%_@_%' then lower(trim({{ text }})) end
{%- endmacro %}

{# Whether a line without a date is no order at all: a total below the table, a note, an empty row. #}
{% macro is_no_order() -%}
    {%- set total = '[^a-z0-9]*((grand |sub)?totals?|totale?s?|totaal|sum|summe|gesamt|gesamtsumme|insgesamt|somme|suma)([^a-z].*)?' -%}
    (
        coalesce(order_id, customer_id, unreadable_text) is null
        {% for column in ('order_id', 'customer_id', 'sku', 'unreadable_text') -%}
        or {{ matches("lower(coalesce(" ~ column ~ ", ''))", total) }}
        {% endfor %}
    )
{%- endmacro %}

{#
  The relation that holds a source's rows of a kind, for the end of a FROM: the raw table of that name, or the staging
  model that yields it; only the rows of some files, where a mapping is about those.
#}
{% macro rows_of(mapping, kind) -%}
    {{ ref(mapping.model) if mapping.model else source(kind, kind) }}
    {%- if mapping.files %}
    where coalesce({{ raw_column('_ab_source_file_url') }}, '') in (
        {%- for file in mapping.files %}'{{ file | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor -%}
    )
    {%- endif %}
{%- endmacro %}

{#
  A subquery of one source's order lines with typed columns and its own rules applied, in one shape for all sources.
  Whether a line is used is decided over all of them, in stg_shop__order_lines_validated.
#}
{% macro order_lines_of(mapping) -%}
    {%- set columns = mapping.columns -%}
    {%- set orders = mapping.get('orders') or {} -%}
    {%- set money = ['order_total', 'amount', 'unit_price'] | select('in', columns) | first -%}
    (
        with renamed as (

            select
                _airbyte_raw_id as order_line_key,
                _airbyte_extracted_at as extracted_at,
                {{ raw_column('_ab_source_file_url') if mapping.several_files else 'cast(null as varchar)' }} as source_file,
                {% for column in ('order_id', 'order_line_id', 'customer_id', 'email', 'ordered_at', 'amount', 'sku',
                                  'quantity', 'unit_price', 'discount', 'country', 'currency', 'channel') -%}
                {{ mapped_text(mapping, column) }} as {{ column }}_text{{ ',' if not loop.last }}
                {% endfor %}
                {%- for column in ('order_total', 'refunded_amount', 'refunded_at', 'status', 'payment_status',
                                   'fulfilment_status', 'cancelled_at', 'line_type', 'is_cancelled', 'is_test', 'is_paid')
                    if column in columns -%}
                , {{ mapped_text(mapping, column) }} as {{ column }}_text
                {% endfor %}
            from {{ rows_of(mapping, 'order_lines') }}

        ),

        {{ completed_lines(mapping) }},

        typed as (

            select
                order_line_key,
                extracted_at,
                source_file,
                coalesce(
                    {{ customer_of_id('customer_id_text') }},
                    case when emails.written_id is null then {{ normalised_email('email_text') }} end
                ) as customer_id,
                coalesce(ids.correction, emails.correction) as id_correction,
                {{ normalised_email('email_text') }} as email,
                {{ plain_order_id('order_id_text') }} as given_order_id,
                {{ order_number(plain_order_id('order_id_text')) }} as order_number,
                customer_id_text,
                ordered_at_text,
                order_line_id_text as given_order_line_id,
                sku_text as sku,
                {{ parse_timestamp('ordered_at_text', mapping.timestamp_formats.get('ordered_at'), mapping.timezone) }}
                    as ordered_at,
                {% for column in ('quantity', 'unit_price', 'discount', 'amount') -%}
                {{ parse_number(column ~ '_text', mapping.number_formats.get(column)) }} as {{ column }},
                {% endfor -%}
                {% for column in ('quantity', 'discount') -%}
                {{ column }}_text is not null and {{ parse_number(column ~ '_text', mapping.number_formats.get(column)) }} is null
                    as {{ column }}_is_unreadable,
                {% endfor -%}
                {% if 'order_total' in columns -%}
                order_total_text as amount_text,
                {%- elif 'amount' in columns -%}
                amount_text,
                {%- else -%}
                case
                    when quantity_is_unreadable then quantity_text
                    when discount_is_unreadable then discount_text
                    else unit_price_text
                end as amount_text,
                {%- endif %}
                upper(coalesce(
                    {{ named_currency(mapping) }},
                    {{ currency_of(money ~ '_text', mapping.number_formats.get(money)) }},
                    {{ "'" ~ mapping.currency ~ "'" if mapping.currency else 'null' }}
                )) as currency,
                country_text as country,
                channel_text as channel
                {%- for column in ('order_total', 'refunded_amount') if column in columns %},
                {{ parse_number(column ~ '_text', mapping.number_formats.get(column)) }} as {{ column }}
                {%- endfor %}
                {%- if 'refunded_at' in columns %},
                {{ parse_timestamp('refunded_at_text', mapping.timestamp_formats.get('refunded_at'), mapping.timezone) }}
                    as refunded_at
                {%- endif %}
                {%- for column in ('status', 'payment_status', 'fulfilment_status', 'cancelled_at', 'line_type', 'is_cancelled',
                                   'is_test', 'is_paid') if column in columns %},
                {{ column }}_text
                {%- endfor %}
            from completed
            left join {{ ref('stg_shop__customer_id_corrections') }} as ids
                on completed.customer_id_text = ids.written_id
            left join {{ ref('stg_shop__customer_id_corrections') }} as emails
                on {{ normalised_email('completed.email_text') }} = emails.written_id

        ),

        {% if orders.changes -%}
        {{ dated_lines(mapping) }},

        {% endif -%}

        valued as (

            select
                '{{ mapping.connection }}' as source_name,
                order_line_key,
                extracted_at,
                source_file,
                customer_id,
                id_correction,
                email,
                coalesce(given_order_id, customer_id || ' ' || cast(cast(ordered_at as date) as varchar)) as order_id,
                given_order_id is not null as has_order_id,
                order_number,
                given_order_line_id,
                sku,
                ordered_at,
                cast(ordered_at as date) as ordered_on,
                customer_id_text,
                ordered_at_text,
                amount_text,
                coalesce(quantity, 1) as quantity,
                {% set line_amount -%}
                {% if 'amount' in columns -%}
                cast(amount as decimal(18, 2))
                {%- else -%}
                case
                    when not quantity_is_unreadable and not discount_is_unreadable
                        then cast(coalesce(quantity, 1) * unit_price - coalesce(discount, 0) as decimal(18, 2))
                end
                {%- endif %}
                {%- endset -%}
                {% if 'order_total' in columns -%}
                cast(order_total as decimal(18, 2)) as signed_amount,
                greatest(coalesce({{ line_amount }}, 0), 0) as line_value,
                {% else -%}
                {{ line_amount }} as signed_amount,
                {% if is_mapped('order_total') -%} 0 as line_value, {% endif -%}
                {% endif -%}
                {% if is_mapped('refunded_amount') -%}
                {{ 'cast(refunded_amount as decimal(18, 2))' if 'refunded_amount' in columns else 'cast(null as decimal(18, 2))' }} as refunded_amount,
                {{ 'refunded_at' if 'refunded_at' in columns else 'cast(null as timestamp)' }} as refunded_at,
                {% endif -%}
                {{ no_sale(mapping) }} as no_sale,
                {{ "coalesce(line_type_text in (" ~ quoted_list(orders.line_types.returns or []) ~ "), false)" if 'line_type' in columns else 'false' }}
                {%- for column, values in (orders.given_back or {}).items() %} or coalesce({{ column }}_text in ({{ quoted_list(values) }}), false)
                {%- endfor %} as is_typed_return,
                currency,
                country,
                channel
            from {{ 'dated' if orders.changes else 'typed' }}

        )

        select
            * exclude (customer_id_text, ordered_at_text, amount_text, is_typed_return),
            case
                when customer_id is null and customer_id_text is not null then customer_id_text
                when ordered_at is null then ordered_at_text
                when signed_amount is null then amount_text
            end as unreadable_text,
            {% if is_mapped('order_total') -%} {{ 'order_total' in columns }} as is_order_total, {% endif -%}
            {% if is_mapped('refunded_amount') -%} {{ 'refunded_amount' in columns and orders.refund_is_of_order }} as refund_is_of_order, {% endif -%}
            coalesce(signed_amount, 0) < 0 or quantity < 0 or is_typed_return
            {%- if mapping.returns %} or coalesce({{ matches(mapping.returns.column, mapping.returns.matches) }}, false) {%- endif %}
                as is_return,
            {% if mapping.reject -%}
            case
                {% for rule in mapping.reject -%}
                when {{ matches(rule.column, rule.matches) }} then '{{ rule.reason | replace("'", "''") }}'
                {% endfor %}
            end
            {%- else -%} cast(null as varchar)
            {%- endif %} as rule_of_source,
            {{ 'true' if mapping.duplicates == 'reject' else 'false' }} as duplicates_are_rejected
        from valued
    )
{%- endmacro %}
