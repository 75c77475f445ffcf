package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/daemon"
)

// preview asks what a reload would change if the configuration of the daemon had this text. With
// the daemon down the ledger tells of the policy and the exceptions that it had in force, and of
// the rest which parts were others.
func (a *app) preview(conf *config.Config) (p admin.Preview, err error) {
	text, err := os.ReadFile(conf.Path)
	if err != nil {
		return p, usage("read config: %w", err)
	}
	name, err := filepath.Abs(conf.Path) // the daemon may work in another folder
	if err != nil {
		return p, fmt.Errorf("find folder of config: %w", err)
	}
	err = a.ask(func(q answers) error {
		switch q := q.(type) {
		case *admin.Client:
			p, err = q.Preview(context.Background(), name, text)
		case *admin.Desk:
			p, err = q.Preview(context.Background(), daemon.WantedOf(conf, q.Store.Secret()))
		}
		return err
	})
	return p, err
}

// printPreview prints a line for each key, and for each listing, that would be another one.
func (a *app) printPreview(p admin.Preview) error {
	err := a.table(func(w io.Writer) {
		for _, d := range p.Differences {
			fmt.Fprintln(w, differenceText(d))
		}
		for _, part := range []struct {
			sign     string
			listings []admin.Listing
		}{{"+ listed", p.Listed}, {"- listed", p.Delisted}, {"~ listed", p.Changed}} {
			for _, l := range part.listings {
				fmt.Fprintf(w, "%s %s\t%s, %s\n", part.sign, l.Source, l.Answer, causeCounts(l.Causes))
			}
		}
	})
	fmt.Fprintln(a.stdout, previewText(p))
	return err
}

// differenceText is a line of two columns: what, and how it would be.
func differenceText(d admin.Difference) string {
	name := d.Key
	if d.Of != "" {
		name += " " + printable(d.Of)
	}
	restart := ""
	if d.Restart {
		restart = " (takes a restart)"
	}
	switch d.Change {
	case config.Added:
		return fmt.Sprintf("+ %s\t%s%s", name, printable(d.To), restart)
	case config.Removed:
		return fmt.Sprintf("- %s\t%s%s", name, printable(d.From), restart)
	}
	return fmt.Sprintf("~ %s\t%s -> %s%s", name, orNothing(d.From), orNothing(d.To), restart)
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return printable(value)
}

// previewText says it in one line.
func previewText(p admin.Preview) string {
	var restart []string
	for _, d := range p.Differences {
		if d.Restart {
			restart = append(restart, d.Key)
		}
	}
	listings := fmt.Sprintf("listings: %d begin, %d end, %d change", len(p.Listed), len(p.Delisted),
		len(p.Changed))
	if p.Reading {
		listings = "the log is still being read, so nothing is known of listings"
	}
	switch {
	case p.Empty() && len(p.Differences) == 0:
		return "a reload would change nothing"
	case len(restart) > 0:
		return "a reload would be refused: " + strings.Join(restart, ", ") + " takes a restart"
	case !p.Daemon && len(p.Parts) > 0:
		return "a start would bring another " + strings.Join(p.Parts, ", ") + "; " + listings
	case !p.Daemon:
		return "a start would change this; " + listings
	}
	return fmt.Sprintf("a reload would change %s of the configuration; %s", number(len(p.Differences), "line"), listings)
}
