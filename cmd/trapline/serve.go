package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/daemon"
	"github.com/trapline/trapline/internal/ops"
)

type serveCmd struct {
	Demo bool `help:"Serve a built-in configuration in ./data on unprivileged ports, to try things out."`
}

// Help is shown by serve --help.
func (serveCmd) Help() string {
	return "Example: trapline serve --config /etc/trapline/trapline.toml\n\n" +
		"SIGTERM and SIGINT drain and stop, SIGHUP reloads."
}

// drain is how long sessions in progress may take to end at a stop.
const drain = 20 * time.Second

// Run serves until it is told to stop.
func (c *serveCmd) Run(a *app) error {
	if c.Demo {
		if err := a.writeDemo(); err != nil {
			return err
		}
	}
	conf, err := a.load()
	if err != nil {
		return err
	}
	pen := ops.NewPen(a.stderr)
	defer func() { _ = pen.Close() }() // there is nowhere left to say that it did not work
	events := ops.New(logger(conf.Log, a.stderr, pen))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	started := false
	err = daemon.Run(ctx, conf, daemon.Options{
		Events: events, Now: a.now, Reload: hangups(ctx), Drain: drain,
		Watchdog: watchdog(), Tell: notify,
		Log: func(l config.Log) { events.LogTo(logger(l, a.stderr, pen)) },
		Ready: func(listeners map[string]string, metrics string) {
			started = true
			c.ready(a, conf, events, listeners, metrics)
		},
	})
	if err == nil || started {
		events.Stopped(err)
	}
	if err != nil && started {
		return &exitError{code: exitFailed} // the log has it
	}
	return err
}

// ready tells systemd, the log and whoever tries the demo.
func (c *serveCmd) ready(a *app, conf *config.Config, events *ops.Events,
	listeners map[string]string, metrics string) {
	_, _ = sd.SdNotify(false, sd.SdNotifyReady) // without systemd nobody listens
	events.Started(version, conf.Path, slices.Sorted(maps.Values(listeners)), metrics)
	if c.Demo {
		fmt.Fprintf(a.stdout, demoText, conf.Path)
	}
}

// watchdog is how long systemd waits for word that we are alive, 0 where it does not.
func watchdog() time.Duration {
	span, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		return 0 // of systemd's own making, or of nobody's
	}
	return span
}

// notify tells systemd how the daemon is: sd_notify(3). Without systemd nobody listens.
func notify(s daemon.State) {
	text := map[daemon.State]string{
		daemon.Alive:     sd.SdNotifyWatchdog,
		daemon.Reloading: sd.SdNotifyReloading + "\n" + sd.SdNotifyMonotonicUsec(),
		daemon.Reloaded:  sd.SdNotifyReady,
		daemon.Stopping:  sd.SdNotifyStopping,
	}[s]
	_, _ = sd.SdNotify(false, text)
}

// hangups gives a value for each SIGHUP until the context ends.
func hangups(ctx context.Context) <-chan struct{} {
	signals, reload := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
			case <-ctx.Done():
				return
			}
			select {
			case reload <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return reload
}

// logger writes with the pen, or for people at the terminal, line by line.
func logger(l config.Log, terminal io.Writer, pen *ops.Pen) zerolog.Logger {
	var out io.Writer = pen
	if l.Format == "console" {
		out = zerolog.ConsoleWriter{Out: terminal, TimeFormat: time.TimeOnly,
			NoColor: !isTerminal(terminal)}
	}
	level, err := zerolog.ParseLevel(l.Level)
	if err != nil {
		level = zerolog.InfoLevel // the configuration was checked
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// writeDemo lays the built-in configuration into ./data, where the other verbs
// can be pointed at it; one that is there is served as it is.
func (a *app) writeDemo() error {
	a.config = filepath.Join("data", "trapline.toml")
	if err := os.MkdirAll("data", 0o711); err != nil {
		return fmt.Errorf("make folder of the demo: %w", err)
	}
	f, err := os.OpenFile(a.config, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("write demo configuration: %w", err)
	}
	_, err = f.Write(config.Demo())
	return errors.Join(err, f.Close())
}

// demoText says what to try next.
const demoText = `
Trapline serves the demo, with %[1]s. In another terminal, from this folder:

  two messages to two traps, as if from 198.51.100.7 (the PROXY header says so):
    for trap in one two; do
      exec 3<>/dev/tcp/127.0.0.1/2526
      printf '%%s\r\n' 'PROXY TCP4 198.51.100.7 127.0.0.1 40000 25' 'HELO mail.example' \
        'MAIL FROM:<sender@mail.example>' "RCPT TO:<$trap@traps.example>" DATA >&3; sleep 1
      printf '%%s\r\n' 'Subject: offer' '' "an offer for $trap" . QUIT >&3
      cat <&3; exec 3>&-
    done

  is it listed, and why:
    bin/trapline lookup 198.51.100.7 --config %[1]s

  the zone that rsync would serve:
    cat data/zone/bl.mx.traps.example

Stop with Ctrl-C; remove the folder data to begin anew.

`
