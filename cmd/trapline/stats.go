package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
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
	return a.table(func(w io.Writer) { printStats(w, s) })
}

func printStats(w io.Writer, s admin.Stats) {
	state := "ready"
	if !s.Ready {
		state = "reading the log"
	}
	fmt.Fprintf(w, "engine\t%s, as of %s\n", state, instant(s.At))
	fmt.Fprintf(w, "storage\t%s\n", s.Storage)
	fmt.Fprintf(w, "records\t%d hits, %d decisions\n", s.Records, s.Decisions)
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
