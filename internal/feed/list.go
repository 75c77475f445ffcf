package feed

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// list reads points that somebody has counted: ADDRESS COUNT [DATE] a line. The counts of equal
// days and addresses are added up.
type list struct {
	strict
	*counter
	day criteria.Second // where a line names none
}

func (l *list) fits(line string) bool {
	word, _ := cutWord(line)
	return isNumeric(word)
}

func (l *list) take(line string) error {
	words := strings.Fields(line)
	if len(words) != 2 && len(words) != 3 {
		return fmt.Errorf("%s is not ADDRESS COUNT [DATE]", quote(line))
	}
	a, err := parseAddress(words[0])
	if err != nil {
		return err
	}
	points, err := parsePoints(words[1])
	if err != nil {
		return err
	}
	day := l.day
	if len(words) == 3 {
		if day, err = parseDay(words[2]); err != nil {
			return err
		}
	}
	return l.count(a, day, points)
}

func (l *list) count(a netip.Addr, day criteria.Second, points int64) error {
	s, why := l.spotOf(a, day)
	switch why {
	case "":
		return l.add(s, points)
	case Ahead:
		return fmt.Errorf("%s is yet to come: check the date, and this machine's clock",
			day.Time().Format(time.DateOnly))
	}
	l.skip(why)
	return nil
}

// parseAddress reads an address of the internet: a zone only means something on one machine.
func parseAddress(word string) (netip.Addr, error) {
	a, err := netip.ParseAddr(word)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%s is not an address", quote(word))
	}
	return a, nil
}

// parsePoints reads digits alone: what a sign, a point or an exponent is meant to say is a guess.
func parsePoints(word string) (int64, error) {
	points, err := strconv.ParseUint(word, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || err == nil && points > MaxPoints:
		return 0, fmt.Errorf("count %s is more than %d", quote(word), int64(MaxPoints))
	case err != nil:
		return 0, fmt.Errorf("count %s is not a number of messages, 0 or more", quote(word))
	}
	return int64(points), nil
}

func parseDay(word string) (criteria.Second, error) {
	for _, layout := range [...]string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, word); err == nil {
			return dayOf(criteria.At(t)), nil
		}
	}
	return 0, fmt.Errorf("date %s is neither as 2026-01-31 nor as 2026-01-31T23:59:59Z", quote(word))
}
