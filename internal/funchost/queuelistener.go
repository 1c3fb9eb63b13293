package funchost

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// queueListener reads one queue and has every message handled, by the rules of
// the host's own listener: batches, a threshold for the next batch, back-off
// when the queue is empty, renewal while a message is in work, and the poison
// queue at the end.
type queueListener struct {
	h          *Host
	function   string // for events; "" for the queue of blob events
	connection string
	name       string
	queue      messageQueue
	poison     func(queueMessage) messageQueue
	poisonAs   string // its name
	batch      int
	threshold  int
	// maxDequeue is the number of deliveries before a message is poisoned.
	maxDequeue int64
	// release is how long a message stays hidden after a failure.
	release time.Duration
	// handle does the work: nil deletes the message, errPoison poisons it,
	// errAbandoned leaves it alone, anything else counts as a failure.
	handle func(m queueMessage) error
	// faulty reports whether the switches of queue faults apply.
	faulty bool

	wake chan struct{} // something was put on the queue by this host

	mu   sync.Mutex
	open int
	room chan struct{} // signalled when open falls
}

func (l *queueListener) init() {
	l.wake = make(chan struct{}, 1)
	l.room = make(chan struct{}, 1)
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run fetches until ctx ends. The messages it has handed out go on.
func (l *queueListener) run(ctx context.Context) {
	if err := l.queue.create(ctx); err != nil && ctx.Err() == nil {
		l.h.log.Error("creating the queue failed", "queue", l.name, "error", err)
	}
	pause := backoff{minimum: l.h.timing.MinimumPolling, maximum: l.h.config.queues.maxPollingInterval}
	for l.awaitRoom(ctx) == nil {
		messages, err := l.queue.get(ctx, l.batch, l.h.timing.Visibility)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, errNotFound) {
			l.h.log.Error("reading the queue failed", "queue", l.name, "error", err)
		}
		if len(messages) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-l.wake:
			case <-l.h.clock.After(pause.next()):
			}
			continue
		}
		pause.reset()
		for _, m := range messages {
			l.dispatch(m)
		}
	}
}

func (l *queueListener) dispatch(m queueMessage) {
	l.mu.Lock()
	l.open++
	l.mu.Unlock()
	l.h.open.Go(func() {
		defer func() {
			l.mu.Lock()
			l.open--
			l.mu.Unlock()
			notify(l.room)
		}()
		l.process(m)
	})
}

// awaitRoom waits until a new batch may be fetched.
func (l *queueListener) awaitRoom(ctx context.Context) error {
	for {
		l.mu.Lock()
		open := l.open
		l.mu.Unlock()
		if open <= l.threshold {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.room:
		}
	}
}

// process carries one delivery through to its end on the queue.
func (l *queueListener) process(m queueMessage) {
	ctx := l.h.storage
	if m.dequeueCount > l.maxDequeue {
		l.toPoison(ctx, m)
		return
	}
	var n int64
	if l.faulty {
		n = l.h.count("message", l.function)
	}
	lease := &lease{listener: l, message: m, stop: make(chan struct{}), done: make(chan struct{})}
	if fault := l.h.options.Faults.LoseLease; fault != nil && l.faulty && fault(l.function, n) {
		lease.lose(ctx)
	} else {
		go lease.renew(ctx)
	}
	if fault := l.h.options.Faults.DuplicateMessage; fault != nil && l.faulty && fault(l.function, n) {
		l.h.log.Warn("fault switch: delivering a message twice", "queue", l.name)
		again := m
		again.dequeueCount++
		l.h.open.Go(func() { _ = l.handle(again) })
	}
	err := l.handle(m)
	m = lease.end()
	switch {
	case err == nil:
		if err := l.queue.remove(ctx, m); err != nil {
			l.h.log.Warn("a message could not be deleted; it comes again", "queue", l.name, "error", err)
		}
	case errors.Is(err, errAbandoned):
	case errors.Is(err, errPoison), m.dequeueCount >= l.maxDequeue:
		l.toPoison(ctx, m)
	default:
		if _, err := l.queue.extend(ctx, m, l.release); err != nil {
			l.h.log.Warn("a message could not be released; it comes again when its visibility ends", "queue", l.name, "error", err)
		}
	}
}

// toPoison moves a message: the copy first, so that it is never lost.
func (l *queueListener) toPoison(ctx context.Context, m queueMessage) {
	l.h.log.Error("message has reached its last attempt and is moved to the poison queue", "queue", l.name, "poison", l.poisonAs)
	if err := l.poison(m).put(ctx, m.text); err != nil {
		l.h.log.Error("moving a message to the poison queue failed", "queue", l.name, "error", err)
		return
	}
	l.h.reporter.report(Event{Kind: MessagePoisoned, Function: l.poisoned(m), Reason: l.poisonAs})
	if err := l.queue.remove(ctx, m); err != nil {
		l.h.log.Warn("a poisoned message could not be deleted; it comes again", "queue", l.name, "error", err)
	}
}

// poisoned is the function whose message was poisoned.
func (l *queueListener) poisoned(m queueMessage) string {
	if l.function != "" {
		return l.function
	}
	if b, err := decodeBlobMessage(m.text); err == nil {
		return b.function()
	}
	return ""
}

// lease keeps a message hidden while it is in work.
type lease struct {
	listener *queueListener
	stop     chan struct{}
	done     chan struct{}

	mu      sync.Mutex
	message queueMessage
}

func (s *lease) renew(ctx context.Context) {
	defer close(s.done)
	l := s.listener
	for {
		select {
		case <-s.stop:
			return
		case <-ctx.Done():
			return
		case <-l.h.clock.After(l.h.timing.Visibility / 2):
		}
		receipt, err := l.queue.extend(ctx, s.message, l.h.timing.Visibility)
		if err != nil {
			l.h.log.Warn("a message could not be renewed", "queue", l.name, "error", err)
			continue
		}
		s.mu.Lock()
		s.message.popReceipt = receipt
		s.mu.Unlock()
	}
}

// lose is the fault switch: the message is visible again at once, and the
// receipt that is kept is the old one.
func (s *lease) lose(ctx context.Context) {
	close(s.done)
	s.listener.h.log.Warn("fault switch: losing the lease of a message", "queue", s.listener.name)
	if _, err := s.listener.queue.extend(ctx, s.message, 0); err != nil {
		s.listener.h.log.Warn("fault switch: the message could not be made visible", "error", err)
	}
}

// end stops the renewal and returns the message with its newest receipt.
func (s *lease) end() queueMessage {
	close(s.stop)
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.message
}

// backoff is the host's randomized exponential pause between polls.
type backoff struct {
	minimum, maximum time.Duration
	current          time.Duration
	exponent         int
}

func (b *backoff) reset() { b.current, b.exponent = 0, 0 }

func (b *backoff) next() time.Duration {
	switch {
	case b.current == 0:
		b.current = b.minimum
	case b.current < b.maximum:
		b.exponent++
		step := float64(b.minimum) * (0.8 + 0.4*rand.Float64()) * float64(int64(1)<<min(b.exponent, 30))
		b.current = time.Duration(min(float64(b.maximum), float64(b.minimum)+step))
	}
	return min(b.current, b.maximum)
}
