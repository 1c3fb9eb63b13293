package funchost

import (
	"context"
	"fmt"
)

// listenQueue makes the listener of a queue function.
func (h *Host) listenQueue(f *function) (*queueListener, error) {
	t := &f.trigger
	q, err := h.accounts.queue(t.Connection, t.QueueName)
	if err != nil {
		return nil, err
	}
	poisonName := t.QueueName + "-poison"
	poison, err := h.accounts.queue(t.Connection, poisonName)
	if err != nil {
		return nil, err
	}
	poisonFor := func(queueMessage) messageQueue { return poison }
	cfg := &h.config.queues
	l := &queueListener{h: h, function: f.name, name: t.QueueName, queue: q, poison: poisonFor, poisonAs: poisonName,
		batch: cfg.batchSize, threshold: cfg.newBatchThreshold, maxDequeue: cfg.maxDequeueCount,
		release: cfg.visibilityTimeout, faulty: true}
	l.handle = func(m queueMessage) error { return h.runMessage(f, m) }
	l.init()
	l.connection = t.Connection
	h.listeners = append(h.listeners, l)
	return l, nil
}

// runMessage runs a queue function for one delivery.
func (h *Host) runMessage(f *function, m queueMessage) error {
	body, err := h.config.queues.decodeMessage(m.text)
	if err != nil {
		h.log.Error(err.Error(), "queue", f.trigger.QueueName)
		return err
	}
	reason := fmt.Sprintf("New queue message detected on '%s'.", f.trigger.QueueName)
	return h.execute(f, reason, func(context.Context) (*envelope, error) { return queueEnvelope(f, m, body) })
}

// wakeQueue tells the listener of a queue that this host put something on it.
func (h *Host) wakeQueue(connection, queue string) {
	for _, l := range h.listeners {
		if l.connection == connection && l.name == queue {
			notify(l.wake)
		}
	}
}
