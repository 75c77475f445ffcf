package ops

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauge is a value that another part keeps; it is asked for whenever metrics are
// read, by any goroutine.
type Gauge struct {
	Name, Help string
	// Label tells several values apart, by words of ours or of the configuration; ""
	// with one.
	Label string
	// Values gives each by its word, the only one by "".
	Values func() map[string]float64
}

// One is the Values of a gauge without a label.
func One[N int | int64 | uint32 | uint64 | float64](value func() N) func() map[string]float64 {
	return func() map[string]float64 { return map[string]float64{"": float64(value())} }
}

// Truth is the Values of a gauge that is 1 or 0.
func Truth(value func() bool) func() map[string]float64 {
	return One(func() int {
		if value() {
			return 1
		}
		return 0
	})
}

// Watch shows values that other parts keep. No two may be of the same name.
func (e *Events) Watch(gauges ...Gauge) {
	for _, g := range gauges {
		var labels []string
		if g.Label != "" {
			labels = []string{g.Label}
		}
		name := prometheus.BuildFQName(namespace, "", g.Name)
		e.m.registry.MustRegister(watched{g, prometheus.NewDesc(name, g.Help, labels, nil)})
	}
}

// watched is a gauge in the registry.
type watched struct {
	gauge Gauge
	desc  *prometheus.Desc
}

var _ prometheus.Collector = watched{}

// Describe gives the one description.
func (w watched) Describe(out chan<- *prometheus.Desc) { out <- w.desc }

// Collect asks for the values.
func (w watched) Collect(out chan<- prometheus.Metric) {
	for word, value := range w.gauge.Values() {
		var words []string
		if w.gauge.Label != "" {
			words = []string{strings.ToValidUTF8(word, "?")}
		}
		out <- prometheus.MustNewConstMetric(w.desc, prometheus.GaugeValue, value, words...)
	}
}
