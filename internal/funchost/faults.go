package funchost

import "time"

// Faults are the switches that make the world unfriendly. Each is a function
// of what happens and how often it has happened to that function (n counts from
// 1); nil means never. They are called concurrently.
type Faults struct {
	// BlobEvent decides what becomes of an event before it is queued: nil or one
	// zero Delivery is the normal case, none (an empty, non-nil slice) loses the
	// event, several duplicate it, and delays make it late or overtaken.
	BlobEvent func(e BlobEvent, n int64) []Delivery
	// Ghost calls the handler for a blob that is gone, as happens when it is
	// deleted between the host's look and the call.
	Ghost func(e BlobEvent, n int64) bool

	// DuplicateMessage delivers a queue message to the handler twice at once.
	DuplicateMessage func(function string, n int64) bool
	// LoseLease makes a message visible again while its invocation runs, as a
	// host does that cannot renew it.
	LoseLease func(function string, n int64) bool

	// Kill ends the handler process with SIGKILL when invocation n of the
	// function has been sent, after the duration it returns.
	Kill func(function string, n int64) (after time.Duration, kill bool)
	// Timeout replaces functionTimeout for one invocation; 0 leaves it.
	Timeout func(function string, n int64) time.Duration

	// SlowStart is how long start n of the handler is taken to be not ready.
	SlowStart func(n int64) time.Duration
}

// BlobEvent is the news of a blob, for one function.
type BlobEvent struct {
	Function  string // without prefix
	Container string
	Blob      string
	ETag      string // with quotes, as the service writes it
	BlobType  string // "" = BlockBlob
}

// Delivery is one arrival of an event.
type Delivery struct {
	After time.Duration
}

func (f *Faults) deliveries(e BlobEvent, n int64) []Delivery {
	if f.BlobEvent != nil {
		if d := f.BlobEvent(e, n); d != nil {
			return d
		}
	}
	return []Delivery{{}}
}

// Chance returns a function that is true with probability p, decided by seed,
// name and n alone, so that a failing test can be run again.
func Chance(seed uint64, p float64) func(name string, n int64) bool {
	return func(name string, n int64) bool {
		x := seed ^ uint64(n)*0x9e3779b97f4a7c15
		for i := range len(name) {
			x = (x ^ uint64(name[i])) * 0x100000001b3
		}
		// The finalizer of splitmix64.
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
		return float64(x>>11)/(1<<53) < p
	}
}

// Once returns a function that is true for invocation n of that function only.
func Once(function string, n int64) func(string, int64) bool {
	return func(f string, m int64) bool { return f == function && m == n }
}
