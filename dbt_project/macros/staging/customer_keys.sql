{# Words that stand where a customer's id should, in small letters without spaces and punctuation. #}
{% macro placeholder_words() -%}
    {{ return((
        'na nan null none nil nd sn ns void empty blank false undefined unknown unidentified unassigned notset notavailable'
        ' nocustomer nouser noid missing default customer kunde client cliente klant various divers diverse misc other sonstige'
        ' guest guests guestuser guestcustomer guestcheckout guestbuyer guestorder visitor notloggedin unregistered'
        ' anonymous anonymoususer anonymouscustomer anon anonym anonymized anonymised anonymisiert redacted deleted'
        ' deleteduser deletedcustomer gelöscht geloescht'
        ' walkin walkins walkincustomer walkinclient walkinguest passerby cash cashcustomer cashsale cashsales counter'
        ' countersale till pos poscustomer retailcustomer onetimecustomer'
        ' gast gäste gastkunde gastkonto gastbesteller gastbestellung unbekannt leer keine keiner keinkunde ohne'
        ' laufkunde laufkundschaft barkunde barverkauf kasse kassenkunde ladenkunde ladenverkauf thekenverkauf'
        ' einmalkunde cpd conto endkunde'
        ' invité invite visiteur inconnu anonyme clientdepassage clientcomptoir comptoir vide aucun aucune'
        ' invitado desconocido anónimo anonimo clientedepaso clientegeneral públicoengeneral publicogeneral'
        ' consumidorfinal mostrador ninguno ninguna vacio vacío'
        ' ospite sconosciuto clienteoccasionale clientebanco nessuno vuoto'
        ' convidado desconhecido anônimo clientebalcão clientebalcao balcão balcao nenhum vazio'
        ' onbekend anoniem passant contant contanteverkoop geen leeg'
        ' gäst okänd gjest ukjent gæst ukendt vieras tuntematon anonyymi'
        ' gość gosc nieznany anonimowy klientdetaliczny brak host neznámý neznamy nepřihlášený hosť vendég vendeg ismeretlen'
        ' oaspete necunoscut misafir ziyaretçi bilinmeyen anonim gost nepoznato επισκέπτης гость неизвестно аноним гост'
        ' ゲスト 匿名 不明 访客 訪客 游客 匿名用户 未知 손님 비회원 게스트 زائر ضيف אורח'
    ).split()) }}
{%- endmacro %}

{# A customer id without what a spreadsheet or an export has put around it: 10000.0, ="00123", a no-break space. #}
{% macro plain_id(text) -%}
    case
        when {{ text }} like '%@%' then lower({{ text }})
        when {{ matches(text, '[0-9]+[.,]0{1,2}') }} then split_part(replace({{ text }}, ',', '.'), '.', 1)
        when {{ text }} like '="%"' or {{ text }} like '''%' then translate({{ text }}, '="''', '')
        when {{ text }} like '%' || chr(160) || '%' or {{ text }} like '%' || chr(9) || '%'
            then trim(translate({{ text }}, chr(160) || chr(9), '  '))
        else {{ text }}
    end
{%- endmacro %}

{# Whether a text is a number that a spreadsheet has cut to its first digits: 7.41E+12. #}
{% macro is_cut_to_digits(text) -%}
    {{ text }} like '%+%' and {{ matches(text, '[0-9]([.,][0-9]+)?[eE][+][0-9]+') }}
{%- endmacro %}

{# An order's number as every export writes it; NULL for one that a spreadsheet has cut to its first digits. #}
{% macro plain_order_id(text) -%}
    case
        when {{ text }} like '%.0' and {{ matches(text, '[0-9]+[.]0') }} then split_part({{ text }}, '.', 1)
        when {{ is_cut_to_digits(text) }} then null
        else {{ text }}
    end
{%- endmacro %}

{#
  Whether a text is a word or sign for: no customer. Zeros are one, however many; other digits tell at once that it is none.
  A CASE, because engines compute both sides of an AND.
#}
{% macro is_placeholder(text) -%}
    {%- set word = "translate(lower(" ~ text ~ "), ' -_.,;:/()[]{}<>#?!*+=\"''' || chr(92) || chr(160), '')" -%}
    case
        when {{ matches(text, '[^1-9]*') }} then replace({{ word }}, '0', '') = '' or {{ word }} in (
            {%- for word in placeholder_words() %}'{{ word }}'{{ ', ' if not loop.last }}{% endfor %})
        else {{ text }} = '-1'
    end
    or {{ text }} = chr(92) || 'N'
{%- endmacro %}

{# Whether a text is a word for guests with a number: guest-8731. #}
{% macro is_numbered_guest(text) -%}
    case
        when lower(left({{ text }}, 3)) in ('gue', 'vis', 'ano', 'wal', 'gas', 'inv', 'osp', 'con', 'gäs', 'gje')
            then {{ matches(text, '[^0-9@]+[0-9]+') }} and translate(lower({{ text }}), ' -_.:#/0123456789', '') in (
                'guest', 'guestuser', 'guestcustomer', 'guestcheckout', 'guestorder', 'visitor', 'anonymous', 'anon',
                'walkin', 'gast', 'gastkunde', 'gastbestellung', 'invité', 'invite', 'invitado', 'ospite', 'convidado',
                'gäst', 'gjest'
            )
        else false
    end
{%- endmacro %}

{# A number by which ids are compared that differ in leading zeros only; NULL for an id that is no whole number. #}
{% macro number_of_id(text) -%}
    case when {{ matches(text, '[0-9]{1,38}') }} then cast({{ text }} as decimal(38, 0)) end
{%- endmacro %}

{# Values as literals for `in (…)`; nothing is in an empty one. #}
{% macro quoted_list(values) -%}
    {%- for value in values -%} '{{ value | string | replace("'", "''") }}'{{ ', ' if not loop.last }} {%- else -%} null {%- endfor -%}
{%- endmacro %}

{# The customer that an id names, with its corrections joined as `ids`. NULL: nobody. #}
{% macro customer_of_id(id) -%}
    case
        when ids.written_id is not null then ids.customer_id
        when {{ id }} like '%@%' then lower({{ id }})
        else {{ id }}
    end
{%- endmacro %}
