package web

import (
	"slices"

	"github.com/trapline/trapline/internal/notice"
)

// chart is what came on each day, as bars: the oldest at the left.
type chart struct {
	Width, Height int
	Base          int // where bars stand
	Labels        int // where writing stands
	Most          int // messages of the highest bar
	Total         int
	Bars          []bar
	Days          []notice.Day // the newest first, without those on which nothing came
}

// bar is one class of one day. Units are those of the drawing.
type bar struct {
	X, Y, Width, Height int
	Class               string
}

// Of the drawing.
const (
	dayWidth    = 20
	barWidth    = 14
	plotHeight  = 100
	labelHeight = 18
)

// chartOf draws days, nil where nothing came.
func chartOf(days []notice.Day) *chart {
	c := &chart{Width: dayWidth * len(days), Height: plotHeight + labelHeight, Base: plotHeight,
		Labels: plotHeight + labelHeight - 4}
	for _, d := range days {
		c.Most, c.Total = max(c.Most, d.Total()), c.Total+d.Total()
		if d.Total() > 0 {
			c.Days = append(c.Days, d)
		}
	}
	if c.Total == 0 {
		return nil
	}
	for i, d := range slices.Backward(days) {
		c.stack(dayWidth*(len(days)-1-i)+(dayWidth-barWidth)/2, d)
	}
	return c
}

// stack puts the classes of a day on each other. What came is seen, however little it
// is beside the highest bar.
func (c *chart) stack(x int, d notice.Day) {
	y := c.Base
	for _, part := range []struct {
		class string
		n     int
	}{{"spam", d.Spam}, {"backscatter", d.Backscatter}, {"reported", d.Reports}} {
		if part.n == 0 {
			continue
		}
		height := max(2, part.n*(plotHeight-6)/c.Most)
		y = max(0, y-height)
		c.Bars = append(c.Bars, bar{x, y, barWidth, height, part.class})
	}
}
