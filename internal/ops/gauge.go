package ops

import "github.com/prometheus/client_golang/prometheus"

// Gauge is a value that another part keeps; it is asked for whenever metrics are
// read, by any goroutine.
type Gauge struct {
	Name, Help string
	Of         string // label "of", one of a few words of ours; "" without
	Value      func() float64
}

// Watch shows values that other parts keep. No two may be of the same name and
// word.
func (e *Events) Watch(gauges ...Gauge) {
	for _, g := range gauges {
		o := prometheus.GaugeOpts{Namespace: "trapline", Name: g.Name, Help: g.Help}
		if g.Of != "" {
			o.ConstLabels = prometheus.Labels{"of": g.Of}
		}
		e.m.registry.MustRegister(prometheus.NewGaugeFunc(o, g.Value))
	}
}
