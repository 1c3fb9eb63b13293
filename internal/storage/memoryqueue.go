package storage

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// Message is a message as a test receives it.
type Message struct {
	Body []byte
	// Visible is when it can be received.
	Visible time.Time
	// Dequeued counts how often it was received, this time included.
	Dequeued int

	id int64
}

// MemoryQueue is a queue in memory. Besides sending it lets a test receive.
type MemoryQueue struct {
	name string
	now  func() time.Time

	mu       sync.Mutex
	nextID   int64
	messages []*Message
}

// Queue returns the queue of that name.
func (m *Memory) Queue(name string) *MemoryQueue {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.queues[name] == nil {
		m.queues[name] = &MemoryQueue{name: name, now: m.now}
	}
	return m.queues[name]
}

// Name is the queue's name.
func (q *MemoryQueue) Name() string { return q.name }

// Send adds a message.
func (q *MemoryQueue) Send(_ context.Context, body []byte, delay time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.nextID++
	q.messages = append(q.messages, &Message{Body: bytes.Clone(body), Visible: q.now().Add(delay), id: q.nextID})
	return nil
}

// Receive takes the oldest visible message and hides it for a time. ok is false
// when none is visible.
func (q *MemoryQueue) Receive(hide time.Duration) (m Message, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, m := range q.messages {
		if !m.Visible.After(now) {
			m.Dequeued++
			m.Visible = now.Add(hide)
			return *m, true
		}
	}
	return Message{}, false
}

// Delete removes a received message.
func (q *MemoryQueue) Delete(m Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.messages {
		if q.messages[i].id == m.id {
			q.messages = append(q.messages[:i], q.messages[i+1:]...)
			return
		}
	}
}

// Messages lists what is in the queue, visible or not.
func (q *MemoryQueue) Messages() []Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]Message, len(q.messages))
	for i, m := range q.messages {
		all[i] = *m
	}
	return all
}
