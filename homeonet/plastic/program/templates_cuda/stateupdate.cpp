{# State updates and statements run every step: the replica's elements side by side. #}
{# USES_VARIABLES { N } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const homeonet::Range _own = homeonet::part_of({{constant_or_scalar('N', variables['N'])}}, _step);
    for (int _idx = _own.begin + _step.thread; _idx < _own.end; _idx += _step.n_threads)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
{% endblock %}
