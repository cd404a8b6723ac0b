{# What says that a product is sold; also what shop systems call it. #}
{% macro words_of_active() -%}
    {{ return((
        'yes y true t 1 10 on ja j wahr oui o vrai si sí s sim tak active enabled published publish visible online'
        ' forsale aktiv veröffentlicht actif publié publie envente activo publicado attivo actief'
    ).split()) }}
{%- endmacro %}

{# What says that it is not sold any more, or not yet. #}
{% macro words_of_inactive() -%}
    {{ return((
        'no n false f 0 00 -1 off nein falsch non faux nee nej nie inactive archived draft disabled discontinued'
        ' unpublished hidden offline notforsale deleted retired obsolete eol inaktiv archiviert entwurf gelöscht inactif'
        ' archivé archive brouillon désactivé desactive inactivo archivado borrador inattivo archiviato bozza inactief'
    ).split()) }}
{%- endmacro %}

{# A word as these are compared: in small letters, without spaces; a minus stays, because -1 is a draft of WooCommerce. #}
{% macro catalogue_word(text) -%}
    translate(lower({{ text }}), ' _.', '')
{%- endmacro %}
