{# One value per replica and sample. #}
{# USES_VARIABLES { t, _clock_t, _indices, N } #}
{# WRITES_TO_READ_ONLY_VARIABLES { t, N } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    if (_step.thread != 0) return;
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const size_t _idx = _step.replica;
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {% for varname, var in _recorded_variables | dictsort %}
        on_device::samples_of_{{owner.name}}_{{varname}}.add(_step, _to_record_{{varname}});
        {% endfor %}
    }
{% endblock %}
