{{ config(materialized='table') }}

{#
  Every contact of every source with typed columns, and the reason why it is rejected, if it is. Where the question is
  whether somebody has opted out, anything but a clear no is a yes, and a blank a no. Where it is whether they have opted
  in, anything but a clear yes is a no, a blank too. Whoever is kept out by either does not consent to e-mails; of the
  others, those do who have said so. For advertising silence is no answer, and one no outweighs every yes.
#}

{% set sources = var('contacts') %}

with contacts as (

    {% for mapping in sources -%}
    select
        '{{ mapping.connection }}' as source_name,
        _airbyte_raw_id as contact_key,
        _airbyte_extracted_at as extracted_at,
        {{ mapped_text(mapping, 'contact_id') }} as contact_id,
        {{ mapped_text(mapping, 'customer_id') }} as customer_id_text,
        {{ mapped_text(mapping, 'email') }} as email_text,
        lower({{ mapped_text(mapping, 'other_emails') }}) as other_emails,
        {{ bare_word(mapped_text(mapping, 'opted_out')) }} as opted_out_text,
        {{ bare_word(mapped_text(mapping, 'opted_out_of_marketing')) }} as opted_out_of_marketing_text,
        lower({{ mapped_text(mapping, 'legal_basis') }}) as legal_basis_text,
        {{ 'true' if mapping.columns.opted_in else 'false' }} as asks_who_opts_in,
        {{ advertising_answer(mapping, 'consents_to_advertising') }} as advertising_answer,
        {{ advertising_answer(mapping, 'ad_user_data') }} as ad_user_data_answer,
        {{ advertising_answer(mapping, 'ad_personalization') }} as ad_personalization_answer,
        {{ 'true' if mapping.advertising_consent == 'given' else 'false' }} as is_stated_by_shop,
        {% if mapping.columns.opted_in -%}
        coalesce({{ bare_word(mapped_text(mapping, 'opted_in')) }}, 'no') not in ({{ quoted_list(words_of_consent()) }})
        {%- else -%} false
        {%- endif %} as has_not_opted_in,
        {{ mapped_text(mapping, 'opted_out_at') }} as opted_out_at_text,
        {{ mapped_timestamp(mapping, 'opted_out_at') }}
            as opted_out_at,
        cast(
            {{ mapped_timestamp(mapping, 'created_at') }}
            as date
        ) as created_on
    from {{ rows_of(mapping, 'contacts') }}
    {{ 'union all' if not loop.last }}
    {% else -%}
    select
        cast(null as varchar) as source_name,
        cast(null as varchar) as contact_key,
        cast(null as timestamp) as extracted_at,
        cast(null as varchar) as contact_id,
        cast(null as varchar) as customer_id_text,
        cast(null as varchar) as email_text,
        cast(null as varchar) as other_emails,
        cast(null as varchar) as opted_out_text,
        cast(null as varchar) as opted_out_of_marketing_text,
        cast(null as varchar) as legal_basis_text,
        cast(null as boolean) as asks_who_opts_in,
        cast(null as varchar) as advertising_answer,
        cast(null as varchar) as ad_user_data_answer,
        cast(null as varchar) as ad_personalization_answer,
        cast(null as boolean) as is_stated_by_shop,
        cast(null as boolean) as has_not_opted_in,
        cast(null as varchar) as opted_out_at_text,
        cast(null as timestamp) as opted_out_at,
        cast(null as date) as created_on
    where false
    {%- endfor %}

),

read as (

    select
        contacts.*,
        {{ normalised_email('email_text') }} as email,
        {{ customer_of_id('customer_id_text') }} as customer_id,
        opted_out_at_text is not null
            or has_not_opted_in
            or coalesce(opted_out_text, 'no') not in ({{ quoted_list(words_of_no()) }})
            or coalesce(opted_out_of_marketing_text, 'no') not in ({{ quoted_list(words_of_no()) }})
            as opted_out,
        asks_who_opts_in
            or coalesce(opted_out_text in ({{ quoted_list(words_of_subscribers()) }}), false)
            or coalesce(legal_basis_text like '%consent%' or legal_basis_text like '%einwillig%', false)
            as has_opted_in,
        row_number() over (
            partition by source_name, coalesce(contact_id, {{ customer_of_id('customer_id_text') }}, email_text)
            order by extracted_at desc, contact_key desc
        ) as occurrence_from_last
    from contacts
    left join {{ ref('stg_shop__customer_id_corrections') }} as ids on contacts.customer_id_text = ids.written_id

)

select
    source_name,
    contact_key,
    extracted_at,
    coalesce(contact_id, customer_id, email) as contact_id,
    customer_id,
    email,
    other_emails,
    opted_out,
    case when opted_out then cast(opted_out_at as date) end as opted_out_on,
    case
        when opted_out then 'no'
        when has_opted_in then 'yes'
        else 'unknown'
    end as consents_to_email,
    case
        when 'no' in (advertising_answer, ad_user_data_answer, ad_personalization_answer) then 'no'
        when advertising_answer = 'yes' or (ad_user_data_answer = 'yes' and ad_personalization_answer = 'yes') then 'yes'
        when is_stated_by_shop and not opted_out then 'yes'
        else 'unknown'
    end as consents_to_advertising,
    created_on,
    case
        when customer_id = '{{ var("erased") }}' then 'contact: erased on request'
        when customer_id is null and email_text is null then 'contact: neither customer nor e-mail'
        when customer_id is null and email is null then 'contact: not an e-mail address'
        when occurrence_from_last > 1 then 'contact: repeated later with the same id'
    end as rejection_reason
from read
