package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

type trapImportCmd struct {
	jsonFlag
	File       string `arg:"" help:"A list or [[trap]] tables, or - for standard input."`
	Format     string `enum:"auto,csv,toml" default:"auto" help:"csv, toml, or auto: toml for a *.toml."`
	Output     string `short:"o" placeholder:"FILE" help:"The file to write; unless given, one in the first folder of trap_files."`
	Replace    bool   `help:"The file may be there: the list takes its place."`
	Kind       string `placeholder:"KIND" help:"For traps of a list that has none: pristine, recycled or typo."`
	Weight     string `placeholder:"N" help:"Likewise, 0 to 100."`
	State      string `placeholder:"STATE" help:"Likewise: active, resting or watching."`
	ActiveFrom string `placeholder:"DAY" help:"Likewise; before it the traps rest."`
	DryRun     bool   `help:"Only check."`
	Reload     bool   `help:"Have the daemon read its configuration anew, and wait for the result."`
}

// Help is shown by trap import --help.
func (trapImportCmd) Help() string {
	return `Example: trapline trap import old-staff.csv --kind recycled --active-from 2026-01-01 --reload

The list has a trap a line, an address, a domain or *.domain, alone or with its kind,
weight, state and active_from behind commas. It is checked with the whole configuration:
no trap may be in two places. Then it is written as [[trap]] tables into a file of its
own, which the configuration reads where its trap_files fit, as ["traps.d/*.toml"].
No other file is touched. To change or shorten a list, import it again with --replace.`
}

// importedTraps is what trap import --json prints.
type importedTraps struct {
	File     string `json:"file"` // that was written, or would be
	Traps    int    `json:"traps"`
	DryRun   bool   `json:"dry_run"`
	IsRead   bool   `json:"read"`     // trap_files has the file
	Reloaded bool   `json:"reloaded"` // and it is in force
}

// Run checks a list of traps and writes it where the configuration reads it.
func (c *trapImportCmd) Run(a *app) error {
	path, err := config.Find(a.config, os.Getenv)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	target, err := c.target(path)
	if err != nil {
		return err
	}
	traps, isRead, err := c.read(a, path, target)
	if err != nil {
		return err
	}
	done := importedTraps{target, len(traps), c.DryRun, isRead, false}
	if c.Reload && !isRead {
		return usage("%s would not be read: write trap_files = [%q] above the first table of %s",
			printable(target), relativeTo(path, target), printable(path))
	}
	if c.DryRun {
		return c.print(a, path, done)
	}
	head := fmt.Sprintf("# %s of %s, by trapline trap import.\n", number(len(traps), "trap"),
		printable(filepath.Base(c.File)))
	if err := a.writeBeside(path, target, config.AppendTOML([]byte(head), traps)); err != nil {
		return err
	}
	if c.Reload {
		if err := a.reloadFor(target); err != nil {
			return err
		}
		done.Reloaded = true
	}
	return c.print(a, path, done)
}

// target is the file to write. One that is there was asked for.
func (c *trapImportCmd) target(path string) (string, error) {
	target := c.Output
	if target == "" {
		patterns, err := config.TrapFilesOf(path)
		if err != nil {
			return "", noConfig(err)
		}
		if target = besideTraps(path, patterns, c.File); target == "" {
			return "", usage("no folder of trap_files to write to in %s: write trap_files = [%q] "+
				"above its first table, or give -o FILE", printable(path), "traps.d/*.toml")
		}
	}
	if _, err := os.Stat(target); err == nil && !c.Replace {
		return "", usage("%s is there: give --replace, or another one with -o FILE", printable(target))
	}
	return target, nil
}

// besideTraps is a file of the name of a list, where the first pattern that takes it has its
// folder; "" for none.
func besideTraps(path string, patterns []string, list string) string {
	base := strings.TrimSuffix(filepath.Base(list), filepath.Ext(list))
	if base == "" || base == "-" {
		base = "imported"
	}
	for _, pattern := range patterns {
		dir := filepath.Dir(pattern)
		taken, err := filepath.Match(filepath.Base(pattern), base+".toml")
		if err != nil || !taken || strings.ContainsAny(dir, `*?[\`) {
			continue
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(path), dir)
		}
		return filepath.Join(dir, base+".toml")
	}
	return ""
}

// mostList bounds what is read of a list: more than a configuration takes.
const mostList = 32 << 20

func (c *trapImportCmd) read(a *app, path, target string) ([]config.Trap, bool, error) {
	in, err := a.open(c.File, "list")
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = in.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(in, mostList))
	if err != nil {
		return nil, false, fmt.Errorf("read list: %w", err)
	}
	list := config.TrapFile{Path: target, Name: printable(c.File), Text: text,
		Form: config.Form(c.Format), Otherwise: map[string]string{"kind": c.Kind, "weight": c.Weight, "state": c.State,
			"active_from": c.ActiveFrom}}
	if c.Format == "auto" {
		list.Form = config.CSV
		if filepath.Ext(c.File) == ".toml" {
			list.Form = config.TOML
		}
	}
	if list.Form == config.TOML && c.Kind+c.Weight+c.State+c.ActiveFrom != "" {
		return nil, false, usage("--kind, --weight, --state and --active-from are for lists: " +
			"write them into the tables")
	}
	traps, isRead, err := config.TryTraps(path, list)
	if err != nil {
		return nil, false, noConfig(err)
	}
	return traps, isRead, nil
}

// writeBeside writes a file that whoever reads the configuration can read: its mode and its group
// are those of the configuration. The folder is made if it is not there.
func (a *app) writeBeside(path, target string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", printable(target), err)
	}
	if err := makeBeside(filepath.Dir(path), filepath.Dir(target)); err != nil {
		return fmt.Errorf("write %s: %w", printable(target), err)
	}
	file, err := pendingFile(target)
	if err != nil {
		return fmt.Errorf("write %s: %w", printable(target), err)
	}
	defer func() { _ = file.Cleanup() }() // after the end it does nothing
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = file.Chown(-1, int(owner.Gid)) // who may not, is in no other group
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(info.Mode().Perm()))
	if err == nil {
		err = errors.Join(file.CloseAtomicallyReplace(), syncFolder(filepath.Dir(target)))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", printable(target), err)
	}
	return nil
}

// makeBeside makes a folder as the one of the configuration is.
func makeBeside(like, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, info.Mode().Perm()); err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = os.Chown(dir, -1, int(owner.Gid)) // as above
	}
	return nil
}

// reloadFor puts the new file in force.
func (a *app) reloadFor(target string) error {
	err := a.tell(func(client *admin.Client) error {
		_, err := client.Reload(context.Background())
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is written and not in force: %w", printable(target), err)
	}
	return nil
}

func (c *trapImportCmd) print(a *app, path string, done importedTraps) error {
	if c.JSON {
		return a.printJSON(done)
	}
	next := "they count once the configuration is read again: trapline reload"
	switch {
	case done.DryRun:
		next = "nothing was written"
	case done.Reloaded:
		next = "they are in force"
	case !done.IsRead:
		next = fmt.Sprintf("nobody reads the file: write trap_files = [%q] above the first table of %s",
			relativeTo(path, done.File), printable(path))
	}
	fmt.Fprintf(a.stdout, "%s: %s; %s\n", printable(done.File), number(done.Traps, "trap"), next)
	return nil
}

// relativeTo is a file as trap_files of a configuration would name it.
func relativeTo(path, target string) string {
	full, err := filepath.Abs(target)
	if err != nil {
		return target
	}
	if dir, err := filepath.Abs(filepath.Dir(path)); err == nil {
		if short, err := filepath.Rel(dir, full); err == nil && !strings.HasPrefix(short, "..") {
			return short
		}
	}
	return full
}
