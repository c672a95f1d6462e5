{# Notes who spiked and when, in no order within a step: the host sorts. #}
{# USES_VARIABLES { N, _clock_t, count, _source_start, _source_stop } #}
{# WRITES_TO_READ_ONLY_VARIABLES { N, count } #}
{% extends 'phase.cpp' %}

{% block maincode %}
    {% set _eventspace = get_array_name(eventspace_variable) %}
    const homeonet::Range _own = homeonet::part_of(_source_stop, _step);
    for (int _idx = _own.begin + _step.thread; _idx < _own.end; _idx += _step.n_threads)
        if ({{_eventspace}}[_idx]) on_device::log_of_{{owner.name}}.add(_step, _idx);
{% endblock %}
