package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// gauges are what is read of a running daemon, by the head of its column. The names without a
// metric are lines of /proc/PID/status.
var gauges = []struct {
	head, metric string
	unit         float64
	steady       bool // must not grow under the same load
}{
	{"connections", "trapline_connections", 1, false},
	{"RSS MB", "VmRSS", 1e6, false},  // with the pages of the log that are in memory
	{"own MB", "RssAnon", 1e6, true}, // the heap, with what was collected and not given back
	// The collector lets the heap grow to twice what it found alive, the floor of serve included.
	{"alive MB", "go_memstats_next_gc_bytes", 2e6, true},
	{"goroutines", "go_goroutines", 1, true},
	{"files", "process_open_fds", 1, true},
	{"log MB", `trapline_store_bytes{of="hits"}`, 1e6, false},
	{"free pages", `trapline_store_free_pages{of="hits"}`, 1, false},
}

// sample is a look at the daemon.
type sample struct {
	values []float64       // as gauges
	took   []time.Duration // times of the 250 since the sample before
}

// look takes a sample. Metrics are at the address of [ops].
func (d *server) look(ops string, took []time.Duration) (sample, error) {
	all, err := d.status()
	if err != nil {
		return sample{}, err
	}
	reply, err := http.Get("http://" + ops + "/metrics")
	if err != nil {
		return sample{}, err
	}
	defer reply.Body.Close()
	lines := bufio.NewScanner(reply.Body)
	for lines.Scan() {
		if at := strings.LastIndexByte(lines.Text(), ' '); at > 0 && lines.Text()[0] != '#' {
			all[lines.Text()[:at]], _ = strconv.ParseFloat(lines.Text()[at+1:], 64)
		}
	}
	s := sample{took: took}
	for _, g := range gauges {
		value, ok := all[g.metric]
		if !ok {
			return s, fmt.Errorf("read metrics: no %s", g.metric)
		}
		s.values = append(s.values, value/g.unit)
	}
	return s, lines.Err()
}

func (d *server) status() (map[string]float64, error) { return statusOf(d.cmd.Process.Pid) }

// statusOf is /proc/PID/status, in bytes (proc_pid_status(5)).
func statusOf(pid int) (map[string]float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[2] == "kB" {
			kib, _ := strconv.ParseFloat(f[1], 64)
			all[strings.TrimSuffix(f[0], ":")] = kib * 1024
		}
	}
	return all, nil
}

// medianOf is that of a gauge over some samples.
func medianOf(samples []sample, gauge int) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, s.values[gauge])
	}
	return median(values)
}

// quantiles are p50, p99, p99.9 and the longest of the times of some samples, in milliseconds, and
// how many there are.
func quantiles(samples []sample) (ms [4]float64, n int) {
	var all []time.Duration
	for _, s := range samples {
		all = append(all, s.took...)
	}
	if len(all) == 0 {
		return ms, 0
	}
	slices.Sort(all)
	for i, q := range [...]float64{0.5, 0.99, 0.999, 1} {
		ms[i] = all[int(q*float64(len(all)-1))].Seconds() * 1e3
	}
	return ms, len(all)
}

// printSamples prints a line for each so many samples, and a chart of each column.
func printSamples(w io.Writer, samples []sample, every time.Duration, inLine int) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "minute\tmail/s\t")
	for _, g := range gauges {
		fmt.Fprint(table, g.head, "\t")
	}
	fmt.Fprintln(table, "p50 ms\tp99\tp99.9\tmost\t")
	from := 0
	for line := range slices.Chunk(samples, inLine) {
		span := time.Duration(len(line)) * every
		ms, n := quantiles(line)
		fmt.Fprintf(table, "%.1f\t%.0f\t", (time.Duration(from) * every).Minutes(),
			float64(n)/span.Seconds())
		for i := range gauges {
			fmt.Fprint(table, strconv.FormatFloat(medianOf(line, i), 'f', decimalsOf(i), 64), "\t")
		}
		fmt.Fprintf(table, "%.1f\t%.1f\t%.1f\t%.0f\t\n", ms[0], ms[1], ms[2], ms[3])
		from += len(line)
	}
	_ = table.Flush()
	fmt.Fprintln(w)
	for i, g := range gauges {
		value := func(s sample) float64 { return s.values[i] }
		fmt.Fprintf(w, "%11s  %s\n", g.head, chart(samples, value))
	}
	fmt.Fprintf(w, "%11s  %s\n", "p99 ms", chart(samples, func(s sample) float64 {
		ms, _ := quantiles([]sample{s})
		return ms[1]
	}))
}

func decimalsOf(gauge int) int {
	if gauges[gauge].unit == 1 {
		return 0
	}
	return 1
}

// chart draws a line of bars, each in proportion to the highest, which it names.
func chart(samples []sample, value func(sample) float64) string {
	const width = 60
	bars := []rune("▁▂▃▄▅▆▇█")
	var values []float64
	for part := range slices.Chunk(samples, (len(samples)+width-1)/width) {
		most := 0.0
		for _, s := range part {
			most = max(most, value(s))
		}
		values = append(values, most)
	}
	top := slices.Max(values)
	var line strings.Builder
	for _, v := range values {
		line.WriteRune(bars[min(len(bars)-1, int(v/max(top, 1e-9)*float64(len(bars))))])
	}
	return fmt.Sprintf("%s %.1f", line.String(), top)
}
