package bulkdata

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter is how long the server asks to wait, within the client's bounds;
// 0 where it does not say, or says what cannot be read. A date is taken against
// the server's own clock where it tells it (RFC 9110, 10.2.3).
func (c *Client) retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 {
			return 0
		}
		if seconds > c.ceiling.Seconds() {
			return c.ceiling
		}
		wait = time.Duration(seconds * float64(time.Second))
	} else {
		at, err := http.ParseTime(value)
		if err != nil {
			return 0
		}
		wait = at.Sub(c.serverTime(h))
	}
	return min(max(wait, c.floor), c.ceiling)
}

// serverTime is the server's clock as it tells it, or else this one's.
func (c *Client) serverTime(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return c.now()
}
