{# What says yes where the question is whether somebody wants e-mails, in small letters without spaces and punctuation. #}
{% macro words_of_consent() -%}
    {{ return((
        'yes y true t 1 10 on ja j wahr oui o vrai si sí s sim tak accepted accepts granted given allowed consented confirmed'
        ' erlaubt eingewilligt explicit').split() + words_of_subscribers()) }}
{%- endmacro %}

{# What says that somebody gets e-mails, whatever the question is. #}
{% macro words_of_subscribers() -%}
    {{ return((
        'subscribed subscribe subscriber optedin optin doubleoptin singleoptin active abonniert angemeldet inscrit abonné'
        ' abonne suscrito inscrito iscritto ingeschreven'
    ).split()) }}
{%- endmacro %}

{# What says no where the question is whether somebody has opted out. #}
{% macro words_of_no() -%}
    {{ return('no n false f 0 00 off nein falsch non faux nee nej nie never'.split() + words_of_subscribers()) }}
{%- endmacro %}

{# A word as it is compared: in small letters, without spaces and punctuation. #}
{% macro bare_word(text) -%}
    translate(lower({{ text }}), ' -_.,;:/()', '')
{%- endmacro %}

{# What says nothing where the question is whether somebody consents to advertising. #}
{% macro words_of_no_answer() -%}
    {{ return('unspecified unknown unset notset notspecified null none na nan consentstatusunspecified'.split()) }}
{%- endmacro %}

{#
  What a column answers to whether somebody consents to advertising: yes, no, or NULL where it says nothing. A word that
  is neither clearly yes nor nothing is a no.
#}
{% macro advertising_answer(mapping, column) -%}
    {%- set word = bare_word(mapped_text(mapping, column)) -%}
    case
        when {{ word }} in ({{ quoted_list(words_of_no_answer()) }}) then null
        when {{ word }} in ({{ quoted_list(words_of_consent() + ['consentgranted']) }}) then 'yes'
        when {{ word }} is not null then 'no'
    end
{%- endmacro %}
