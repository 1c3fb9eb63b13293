package funchost

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrUnknownFunction: the app has no function of that name.
var ErrUnknownFunction = errors.New("no such function")

const reasonByHand = "This function was programmatically called via the host APIs."

// Fire starts a function as the admin endpoint does: at once, with input in
// place of the message (for a blob function: container/blob), disabled or not.
// It does not wait for the invocation; see Options.OnEvent and Stats.
func (h *Host) Fire(function, input string) error {
	f := h.find(function)
	if f == nil {
		return fmt.Errorf("firing %s: %w", function, ErrUnknownFunction)
	}
	h.open.Go(func() { _ = h.execute(f, reasonByHand, h.inputEnvelope(f, input)) })
	return nil
}

// Invoke is Fire, but waits for the end of the invocation and returns its
// error. It is for tests; the real host has nothing like it.
func (h *Host) Invoke(ctx context.Context, function, input string) error {
	f := h.find(function)
	if f == nil {
		return fmt.Errorf("firing %s: %w", function, ErrUnknownFunction)
	}
	result := make(chan error, 1)
	h.open.Go(func() { result <- h.execute(f, reasonByHand, h.inputEnvelope(f, input)) })
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// SendBlobEvent queues the news of a blob as the webhook does, whether or not
// there is such a blob, and subject to Faults.BlobEvent.
func (h *Host) SendBlobEvent(ctx context.Context, e BlobEvent) error {
	if f := h.find(e.Function); f == nil || !f.trigger.is("blobTrigger") {
		return fmt.Errorf("sending a blob event to %s: %w", e.Function, ErrUnknownFunction)
	}
	return h.queueBlobEvent(ctx, e)
}

func (h *Host) find(name string) *function {
	for _, f := range h.functions {
		if strings.EqualFold(f.name, name) {
			return f
		}
	}
	return nil
}

func (h *Host) inputEnvelope(f *function, input string) func(context.Context) (*envelope, error) {
	return func(ctx context.Context) (*envelope, error) {
		switch {
		case f.trigger.is("timerTrigger"):
			return h.timers[f.name].adminEnvelope(ctx, input)
		case f.trigger.is("queueTrigger"):
			return adminQueueEnvelope(f, input, h.clock.Now())
		}
		container, name, ok := strings.Cut(strings.TrimPrefix(input, "/"), "/")
		if !ok {
			return nil, errors.New("the input of a blob function is container/blob")
		}
		store, err := h.accounts.blobs(f.trigger.Connection)
		if err != nil {
			return nil, err
		}
		info, err := store.head(ctx, container, name)
		if err != nil {
			return nil, err
		}
		e, err := h.readBlob(ctx, f, store, container, name, info)
		if err == nil {
			e.head = append(e.head, member{f.trigger.Name, scalarString(input)})
		}
		return e, err
	}
}
