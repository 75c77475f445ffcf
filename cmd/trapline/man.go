package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"github.com/trapline/trapline/internal/config"
)

type manCmd struct {
	Date string `required:"" placeholder:"DAY" help:"The day in the pages, as 2026-11-24; nothing asks the clock."`
	Dir  string `arg:"" help:"The folder to write to; man1 and man5 are made in it."`
}

// Help is shown by man --help.
func (manCmd) Help() string {
	return "Example: trapline man --date 2026-11-24 man\n\n" +
		"The same binary and day give the same bytes."
}

// Run writes trapline(1), a page for each verb, and trapline.toml(5).
func (c *manCmd) Run(a *app) error {
	day, err := time.Parse(time.DateOnly, c.Date)
	if err != nil {
		return usage("--date %q is no day: give it as 2026-11-24", c.Date)
	}
	pages, err := a.manPages(day)
	if err != nil {
		return err
	}
	for _, page := range pages {
		path := filepath.Join(c.Dir, fmt.Sprintf("man%d", page.section), page.file())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("make folder of man pages: %w", err)
		}
		if err := renameio.WriteFile(path, page.text(), 0o644); err != nil {
			return fmt.Errorf("write man page: %w", err)
		}
	}
	fmt.Fprintf(a.stdout, "%s in %s\n", number(len(pages), "page"), printable(c.Dir))
	return nil
}

// manPages are all pages there are, as of a day.
func (a *app) manPages(day time.Time) ([]*manPage, error) {
	k, err := a.grammar(new(cli), nil)
	if err != nil {
		return nil, err
	}
	pages := []*manPage{overviewPage(k.Model, day)}
	for _, verb := range k.Model.Children {
		if !verb.Hidden {
			pages = append(pages, verbPage(verb, day))
		}
	}
	return slices.Concat(pages, []*manPage{configPage(config.Manual(), day)}), nil
}
