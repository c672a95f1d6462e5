{# Marks the neurons with an event: the event space holds one flag per neuron instead of a list. #}
{# USES_VARIABLES { N } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    const homeonet::Range _own = homeonet::part_of(N, _step);
    for (int _idx = _own.begin + _step.thread; _idx < _own.end; _idx += _step.n_threads)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{_eventspace}}[_idx] = _cond ? 1 : 0;
    }
{% endblock %}
