{# A sum over a replica's neurons, taken by one thread: its order, and so its value, is that of the CPU. #}
{# USES_VARIABLES { N } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    {% set _target = get_array_name(_target_var) %}
    {% set _index = get_array_name(_index_var) %}
    if (_step.thread != 0) return;
    {{_target}}[_step.replica + {{_target_start}}] = 0;
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const homeonet::Range _own = homeonet::part_of({{N}}, _step);
    for (int _idx = _own.begin; _idx < _own.end; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{_target}}[{{_index}}[_idx]] += _synaptic_var;
    }
{% endblock %}
