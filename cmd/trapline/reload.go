package main

import (
	"context"
	"fmt"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

type reloadCmd struct {
	jsonFlag
}

// Help is shown by reload --help.
func (reloadCmd) Help() string { return "Example: trapline reload" }

// Run has the daemon read its configuration anew and waits for the result.
func (c *reloadCmd) Run(a *app) error {
	return a.tell(func(client *admin.Client) error {
		done, err := client.Reload(context.Background())
		switch {
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(reloadLine{true, done})
		}
		fmt.Fprintln(a.stdout, settledText(done))
		for _, area := range done.Areas {
			fmt.Fprintln(a.stdout, " ", config.Area(area))
		}
		return nil
	})
}

// reloadLine is what reload --json prints.
type reloadLine struct {
	Reloaded bool `json:"reloaded"`
	admin.Settled
}

func settledText(s admin.Settled) string {
	switch settled := s.Another || s.Exceptions > 0; {
	case s.Reading && settled:
		return "reloaded; the log is still being read, and the list follows then"
	case !settled:
		return "reloaded; policy and exceptions are as before"
	case s.Another:
		return fmt.Sprintf("reloaded; policy %d is in force: %s", s.Policy, settledChanges(s))
	}
	return fmt.Sprintf("reloaded; %s", settledChanges(s))
}

// settledChanges says which listings changed, or, where the answer does not have
// them all, how many.
func settledChanges(s admin.Settled) string {
	if len(s.Changes) == s.Begun+s.Ended+s.Changed {
		return changesText(s.Changes)
	}
	return fmt.Sprintf("listings: %d begin, %d end, %d change", s.Begun, s.Ended, s.Changed)
}
