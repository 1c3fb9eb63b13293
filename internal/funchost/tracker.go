package funchost

import "sync"

// tracker counts goroutines. Unlike a sync.WaitGroup it may be waited for while
// new ones start.
type tracker struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to 0; nil when nobody waits
}

// Go runs f in a goroutine that is counted.
func (t *tracker) Go(f func()) {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
	go func() {
		defer func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.n--; t.n == 0 && t.idle != nil {
				close(t.idle)
				t.idle = nil
			}
		}()
		f()
	}()
}

// wait returns a channel that is closed once nothing runs.
func (t *tracker) wait() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	return t.idle
}
