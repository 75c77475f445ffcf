package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// The clients that there are.
const (
	ownClient = "own"
	source    = "smtp-source"
)

// bringBySource brings the load with smtp-source, to compare our client with: as many messages as it
// gets rid of in about the time. It does not know STARTTLS, and its messages are all alike.
func (l load) bringBySource(ctx context.Context) (taken int, took time.Duration, err error) {
	if l.secure {
		return 0, 0, errors.New("smtp-source has no STARTTLS")
	}
	path, err := program(source)
	if err != nil {
		return 0, 0, err
	}
	for n := 20 * l.sessions; took < l.length; n = int(1 + float64(n)*(l.length-took).Seconds()/took.Seconds()) {
		args := []string{"-4", "-s", strconv.Itoa(l.sessions), "-m", strconv.Itoa(n),
			"-l", strconv.Itoa(size), "-f", "offers@sender.example", "-t", "trap@" + domain}
		if l.kept {
			args = append(args, "-d")
		}
		begin := time.Now()
		out, err := exec.CommandContext(ctx, path, append(args, l.to.String())...).CombinedOutput()
		if err != nil {
			return taken, took, fmt.Errorf("%s: %w\n%s", source, err, out)
		}
		took += time.Since(begin)
		taken += n
	}
	return taken, took, nil
}
