package ops

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the counters behind the events. Every label is one of a few words
// of our own.
type metrics struct {
	registry *prometheus.Registry

	refused, sessions, recipients, taken, notTaken *prometheus.CounterVec
	abuse, faults, recorded, causes, reports       *prometheus.CounterVec
	changes                                        *prometheus.CounterVec
	bytes, published                               prometheus.Counter
	commit                                         prometheus.Histogram
}

func newMetrics() *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := &metrics{registry: r,
		refused:    counters(r, "connections_refused_total", "Connections that ended before the greeting.", "why"),
		sessions:   counters(r, "sessions_total", "Sessions that ended.", "why", "did"),
		recipients: counters(r, "recipients_refused_total", "Recipients that were not taken.", "why"),
		taken:      counters(r, "messages_taken_total", "Messages that are on disk.", "class"),
		notTaken:   counters(r, "messages_not_taken_total", "Messages that the sender kept.", "why"),
		abuse:      counters(r, "protocol_abuse_total", "What no mail server does.", "kind"),
		faults:     counters(r, "faults_total", "Faults of the program or its storage.", "where"),
		recorded:   counters(r, "records_total", "Records of the log.", "kind", "reason"),
		causes:     counters(r, "causes_total", "Records by cause.", "cause"),
		reports:    counters(r, "reports_refused_total", "Submissions that do not count.", "why"),
		changes:    counters(r, "list_changes_total", "Changes of the list.", "change", "trigger"),
	}
	m.bytes = prometheus.NewCounter(opts("received_bytes_total", "Bytes read from peers."))
	m.commit = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "trapline",
		Name: "commit_seconds", Help: "Time from the end of a message until it is on disk.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)})
	m.published = prometheus.NewCounter(opts("zone_publications_total", "Zones that were published."))
	r.MustRegister(m.bytes, m.commit, m.published)
	return m
}

func counters(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(opts(name, help), labels)
	r.MustRegister(c)
	return c
}

func opts(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: "trapline", Name: name, Help: help}
}
