package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/admin"
)

type statsCmd struct {
	jsonFlag
}

// Help is shown by stats --help.
func (statsCmd) Help() string { return "Example: trapline stats --json" }

// Run prints the daemon at a glance.
func (c *statsCmd) Run(a *app) error {
	var s admin.Stats
	err := a.ask(func(q answers) (err error) {
		s, err = q.Stats()
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(s)
	}
	return a.table(func(w io.Writer) {
		printStats(w, s, a.offline)
		printDay(w, s.Day, shadesOf(os.Getenv))
	})
}

func printStats(w io.Writer, s admin.Stats, offline bool) {
	state := "ready"
	switch {
	case offline:
		state = "the daemon is down"
	case !s.Ready:
		state = "reading the log"
	}
	fmt.Fprintf(w, "engine\t%s, as of %s\n", state, instant(s.At))
	fmt.Fprintf(w, "storage\t%s\n", s.Storage)
	fmt.Fprintf(w, "records\t%s, %s\n", number(int(s.Records), "hit"), number(int(s.Decisions), "decision"))
	fmt.Fprintf(w, "sources\t%d remembered, %d listed\n", s.Sources, s.Listed)
	var answers []string
	for _, answer := range slices.Sorted(maps.Keys(s.Answers)) {
		answers = append(answers, fmt.Sprintf("%s %d", answer, s.Answers[answer]))
	}
	fmt.Fprintf(w, "answers\t%s\n", cmp.Or(strings.Join(answers, ", "), "-"))
	fmt.Fprintf(w, "causes\t%s\n", causeCounts(s.Causes))
	fmt.Fprintf(w, "policy\tversion %d\n", s.Policy)
	fmt.Fprintf(w, "zone\t%s\n", zoneText(s.Zone))
	if s.Zone.Order != nil {
		fmt.Fprintf(w, "order\tthe zone is %s\n", s.Zone.Order)
	}
	fmt.Fprintf(w, "published\t%s\n", instant(s.Zone.Published))
}

// printDay prints what came in the last day.
func printDay(w io.Writer, day admin.Pulse, s shades) {
	fmt.Fprintf(w, "last day\t%d hits of %d sources, %d without one\n", day.Hits, day.SourceCount,
		day.Unattributed)
	if day.Hits == 0 {
		return
	}
	fmt.Fprintf(w, "\t|%s|\n", s.line(day.Series, len(day.Series)))
	fmt.Fprintf(w, "hits by cause\t%s\n", causeCounts(day.Causes))
	var sources, traps []string
	for _, x := range day.Sources {
		sources = append(sources, fmt.Sprintf("%s %d", x.Source, x.Hits))
	}
	for _, x := range day.Traps {
		traps = append(traps, fmt.Sprintf("%s %d", x.Trap, x.Hits))
	}
	fmt.Fprintf(w, "busiest sources\t%s\n", cmp.Or(strings.Join(sources, ", "), "-"))
	fmt.Fprintf(w, "busiest traps\t%s\n", cmp.Or(strings.Join(traps, ", "), "-"))
	if uint64(day.Read) < day.Hits {
		fmt.Fprintf(w, "\tcauses, sources and traps are those of the newest %d\n", day.Read)
	}
}
