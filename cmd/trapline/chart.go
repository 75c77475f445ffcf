package main

import (
	"slices"
	"strings"
)

// shades are the heights that a character can show, nothing first.
type shades []rune

// shadesOf chooses what the terminal can show: blocks where the locale is one of UTF-8.
func shadesOf(getenv func(string) string) shades {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToUpper(getenv(name)); locale != "" {
			if strings.Contains(locale, "UTF-8") || strings.Contains(locale, "UTF8") {
				return shades(" ▁▂▃▄▅▆▇█")
			}
			break
		}
	}
	return shades(" .:-=+*%#")
}

// line draws numbers as a line of at most width characters, a character for each or, where they
// are too many, for several together, the newest ones whole. The largest is as high as can be, and
// only 0 is nothing.
func (s shades) line(values []uint64, width int) string {
	if width <= 0 || len(values) == 0 {
		return ""
	}
	sums := together(values, (len(values)+width-1)/width)
	most, highest := slices.Max(sums), uint64(len(s)-1)
	var b strings.Builder
	for _, n := range sums {
		height := uint64(0)
		if most > 0 {
			height = (n*highest + most - 1) / most
		}
		b.WriteRune(s[height])
	}
	return b.String()
}

// together adds up numbers, so many at a time from the end on.
func together(values []uint64, several int) []uint64 {
	var sums []uint64
	for end := len(values); end > 0; end -= several {
		sum := uint64(0)
		for _, n := range values[max(0, end-several):end] {
			sum += n
		}
		sums = append(sums, sum)
	}
	slices.Reverse(sums)
	return sums
}

// bar is a length in proportion to the most, of which width is shown; only 0 is nothing.
func (s shades) bar(n, most, width int) string {
	if most <= 0 || width <= 0 {
		return ""
	}
	return strings.Repeat(string(s[len(s)-1]), (n*width+most-1)/most)
}
