package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/trapline/trapline/internal/admin"
)

type topCmd struct {
	jsonFlag
	Span      string `default:"1m" placeholder:"TIME" help:"How far back to look: 1m to 31d."`
	Once      bool   `help:"Print one picture and end."`
	ShowTraps bool   `help:"Show trap addresses instead of their keyed hashes."`
}

// Help is shown by top --help.
func (topCmd) Help() string {
	return "Example: trapline top --span 1h\n\n" +
		"What comes in, seen each second: hits, causes, the busiest sources and traps,\n" +
		"and how list and zone stand. q or Ctrl-C ends it. With --json a line a second."
}

// every is how often top looks.
const every = time.Second

// Run shows the daemon at work until it is told to stop.
func (c *topCmd) Run(a *app) error {
	span, err := durationOf(c.Span)
	if err != nil || span < admin.ShortestSpan || span > admin.LongestSpan {
		return usage("--span %q: give 1m to 31d", c.Span)
	}
	if !c.Once && !c.JSON && !a.screen.terminal {
		return usage("top wants a terminal: give --once for one picture, or --json for lines")
	}
	f := admin.PulseFilter{Span: span.Truncate(time.Second), Top: mostBusy, ShowTraps: c.ShowTraps}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return a.tell(func(client *admin.Client) error {
		switch {
		case c.JSON:
			return eachSecond(ctx, client, f, c.Once, func(l admin.Live) error { return a.printJSON(l) })
		case c.Once:
			return eachSecond(ctx, client, f, true, func(l admin.Live) error {
				p := picture{live: l, screen: a.screen, shades: shadesOf(os.Getenv)}
				_, err := io.WriteString(a.stdout, strings.Join(p.lines(), "\n")+"\n")
				return err
			})
		}
		return a.watch(ctx, client, f)
	})
}

// mostBusy is how many sources and traps are asked for: more than a screen has lines.
const mostBusy = 50

// eachSecond asks now and each second until the context ends, or once.
func eachSecond(ctx context.Context, client *admin.Client, f admin.PulseFilter, once bool,
	show func(admin.Live) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		l, err := client.Live(ctx, f)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = show(l)
		}
		if err != nil || once {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// What a terminal is told (ECMA-48, and xterm's alternate screen).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // another screen, without the cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K\r\n"
	clearRest   = "\x1b[K\x1b[J"
)

// watch takes the terminal until q or Ctrl-C, and gives it back as it was.
func (a *app) watch(ctx context.Context, client *admin.Client, f admin.PulseFilter) error {
	in, isFile := a.stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		return usage("top wants a keyboard: give --once for one picture, or --json for lines")
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }() // there is nothing else to try
	fmt.Fprint(a.stdout, enterScreen)
	defer fmt.Fprint(a.stdout, leaveScreen)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go awaitEnd(in, stop) // it reads on until the process ends
	p := picture{shades: shadesOf(os.Getenv), keys: true}
	return eachSecond(ctx, client, f, false, func(l admin.Live) error {
		p.live, p.screen = l, screenOf(os.Stdout, os.Getenv) // it may have another size
		p.rows = rowsOf(os.Stdout)
		p.remember(l.Listed)
		_, err := io.WriteString(a.stdout, home+strings.Join(p.lines(), clearLine)+clearRest)
		return err
	})
}

// awaitEnd calls stop at q, at Ctrl-C, and when there is no keyboard any more.
func awaitEnd(keyboard io.Reader, stop func()) {
	defer stop()
	const ctrlC = 3
	key := make([]byte, 1)
	for {
		n, err := keyboard.Read(key)
		if err != nil || n == 1 && (key[0] == 'q' || key[0] == 'Q' || key[0] == ctrlC) {
			return
		}
	}
}

// rowsOf is how many lines a terminal has, 24 where nobody knows.
func rowsOf(f *os.File) int {
	_, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || rows <= 0 {
		return 24
	}
	return rows
}
