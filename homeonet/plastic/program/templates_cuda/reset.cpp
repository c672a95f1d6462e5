{# Statements executed by the neurons with an event. #}
{# USES_VARIABLES { N } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const homeonet::Range _own = homeonet::part_of(N, _step);
    for (int _idx = _own.begin + _step.thread; _idx < _own.end; _idx += _step.n_threads)
    {
        if (!{{_eventspace}}[_idx]) continue;
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
{% endblock %}
