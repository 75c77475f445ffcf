package ops

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the counters behind the events.
type metrics struct {
	registry *prometheus.Registry
	build    *prometheus.GaugeVec

	refused, sessions, recipients, taken, notTaken *counter
	tls, abuse, faults, hits, nobody, reports      *counter
	changes, inbox, bytes, published, missing      *counter
	leftOut, disputes                              *counter
	commit                                         prometheus.Histogram
}

func newMetrics() *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, labels ...label) *counter {
		return newCounter(r, name, help, labels)
	}
	m := &metrics{registry: r,
		refused:    count("connections_refused_total", "Connections that ended before the greeting.", whyRefused),
		sessions:   count("sessions_total", "Sessions that ended.", whyEnded, did),
		recipients: count("recipients_refused_total", "Recipients that were not taken.", whyRecipient),
		taken:      count("messages_taken_total", "Messages that are on disk.", class),
		notTaken:   count("messages_not_taken_total", "Messages that the sender kept.", whyNotTaken),
		tls:        count("tls_failures_total", "TLS handshakes that came to nothing.", whyTLS),
		abuse:      count("protocol_abuse_total", "Sessions that did what no mail server does.", abuseKind),
		faults:     count("faults_total", "Faults of the program or its storage.", where),
		hits:       count("hits_total", "Hits that were recorded.", hitKind, cause, attributed),
		nobody:     count("hits_unattributed_total", "Hits without a source.", whyNobody),
		reports:    count("reports_refused_total", "Submissions that do not count.", whyReport),
		changes:    count("list_changes_total", "Sources whose answer changed.", change, trigger),
		inbox:      count("inbox_messages_total", "Messages to postmaster and abuse."),
		bytes:      count("received_bytes_total", "Bytes read from peers."),
		published:  count("zone_publications_total", "Zones that were published."),
		missing:    count("hits_missing_total", "Hits that the store has lost, as the start found."),
		disputes:   count("dispute_steps_total", "What happened to disputes.", step),
		leftOut:    count("log_lines_left_out_total", "Lines that a flood kept out of the log."),
		build: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
			Help: "1; the labels say what runs."}, []string{"version", "go"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace,
			Name:    "commit_seconds",
			Help:    "Time from the end of a message until it is on disk and its 250 may go out.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14)}),
	}
	r.MustRegister(m.build, m.commit)
	return m
}

// built says what runs.
func (m *metrics) built(version string) {
	m.build.WithLabelValues(clean(version), runtime.Version()).Set(1)
}

const namespace = "trapline"

// counter counts by the words of its labels.
type counter struct {
	vec    *prometheus.CounterVec
	labels []label
}

func newCounter(r *prometheus.Registry, name, help string, labels []label) *counter {
	c := &counter{labels: labels}
	var names []string
	for _, l := range labels {
		names = append(names, l.name)
	}
	c.vec = prometheus.NewCounterVec(
		prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, names)
	r.MustRegister(c.vec)
	c.show(nil)
	return c
}

// show makes the series of every combination of words that begins with these.
func (c *counter) show(begin []string) {
	if len(begin) == len(c.labels) {
		c.vec.WithLabelValues(begin...)
		return
	}
	for _, word := range c.labels[len(begin)].words {
		c.show(append(begin[:len(begin):len(begin)], word))
	}
}

// inc counts one.
func (c *counter) inc(values ...string) { c.add(1, values...) }

// add counts n.
func (c *counter) add(n float64, values ...string) {
	known := make([]string, len(values))
	for i, l := range c.labels {
		known[i] = l.words.of(values[i])
	}
	c.vec.WithLabelValues(known...).Add(n)
}
