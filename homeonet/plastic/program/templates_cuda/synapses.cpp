{# A pathway, gathered: a thread takes a target neuron and goes through the synapses onto it in order. #}
{# So nothing is added by two threads, sums have one order on every device, and no list of events is needed. #}
{% extends 'phase.cpp' %}

{% block maincode %}
    {# USES_VARIABLES { _synaptic_pre } #}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {% set _eventspace = pathway.variables[pathway.eventspace_name] %}
    {% set _flags = array_name_of(_eventspace) %}
    const homeonet::Range _own = homeonet::part_of({{owner.target|length}}, _step);
    for (int _target = _own.begin + _step.thread; _target < _own.end; _target += _step.n_threads)
    {
        {% if pathway.prepost == 'post' %}
        if (!on_device::{{_flags}}[_target]) continue;
        {% endif %}
        const int _end = on_device::row_of_{{owner.name}}[_target + 1];
        for (int _k = on_device::row_of_{{owner.name}}[_target]; _k < _end; _k++)
        {
            {% if pathway.prepost == 'pre' %}
            if (!on_device::{{_flags}}[on_device::source_of_{{owner.name}}[_k]]) continue;
            {% endif %}
            const size_t _idx = on_device::synapse_of_{{owner.name}}[_k];
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
{% endblock %}
