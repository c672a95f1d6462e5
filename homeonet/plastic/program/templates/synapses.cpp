{# Brian2's synapses template over rows: the synapses of one event's neuron, in order. #}
{% extends 'common_synapses.cpp' %}

{% block maincode %}
    {# USES_VARIABLES { _synaptic_pre } #}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    for (const auto& _row : {{pathway.name}}.rows())
    {
        const int32_t* const _synapse = _row.first;
        const int _n_synapses = _row.second;
        {% if pathway.prepost == 'pre' and target_array(vector_code) %}
        // a dense projection: consecutive synapses onto consecutive, so different, neurons
        const int32_t _from = _synapse[0], _to = {{target_array(vector_code)}}[_from];
        if (_synapse[_n_synapses - 1] - _from == _n_synapses - 1 &&
            {{target_array(vector_code)}}[_from + _n_synapses - 1] - _to == _n_synapses - 1)
        {
            #pragma GCC ivdep
            for (int _k = 0; _k < _n_synapses; _k++)
            {
                const size_t _idx = _from + _k;
                const size_t _vectorisation_idx = _idx;
                {{onto_consecutive_targets(vector_code)|autoindent}}
            }
            continue;
        }
        {% endif %}
        for (int _k = 0; _k < _n_synapses; _k++)
        {
            const size_t _idx = _synapse[_k];
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
    }
{% endblock %}
