package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// tableOf is the table for people: a row for each server in each scenario. The ratios are those of
// the first trapline to the row's server, pair by pair.
func tableOf(o options, peers []peer, all runs) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rounds of %v by turns, messages of %d bytes, medians; "+
		"rate ×, CPU ×: %s's by the row's, pair by pair\n\n", o.rounds, o.length, size, peers[0].name)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "connection\twire\tsessions\tserver\tmessages/s\tCPU µs/message\trate ×\tCPU ×")
	for _, scene := range o.scenarios() {
		own := all[scene][peers[0].name]
		for i, p := range peers {
			if results := all[scene][p.name]; len(results) > 0 {
				fmt.Fprintf(w, "%s\t%s\n", scene.cells(i == 0), cells(p.name, own, results, i > 0))
			}
		}
	}
	_ = w.Flush() // to memory
	return b.String()
}

// cells are those that a scenario's rows share, said in the first.
func (s scenario) cells(first bool) string {
	if !first {
		return "\t\t"
	}
	return fmt.Sprintf("%s\t%s\t%d", s.connection(), s.wire(), s.sessions)
}

func cells(name string, own, results []result, compared bool) string {
	row := fmt.Sprintf("%s\t%.0f\t%.1f", name, median(results, rateOf), median(results, cpuOf))
	if !compared {
		return row + "\t\t"
	}
	pairs := make([]result, len(results))
	for i, r := range results {
		pairs[i] = result{rate: own[i].rate / r.rate, cpu: own[i].cpu / r.cpu}
	}
	return fmt.Sprintf("%s\t%.2f\t%.2f", row, median(pairs, rateOf), median(pairs, cpuOf))
}

func rateOf(r result) float64 { return r.rate }
func cpuOf(r result) float64  { return r.cpu }

// median of one of the figures; of two in the middle, their mean.
func median(results []result, figure func(result) float64) float64 {
	var all []float64
	for _, r := range results {
		all = append(all, figure(r))
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
