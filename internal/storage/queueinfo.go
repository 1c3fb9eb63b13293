package storage

import (
	"context"
	"fmt"
)

// QueueLength is about how many messages a queue of the account has. The error is
// ErrNotFound where there is no such queue.
func (a *Account) QueueLength(ctx context.Context, name string) (int64, error) {
	if a.queues == nil {
		return 0, fmt.Errorf("storage connection %s: %s__queueServiceUri is not set", a.name, a.name)
	}
	p, err := a.queues.NewQueueClient(name).GetProperties(ctx, nil)
	if err != nil {
		return 0, a.fault("looking at the queue "+name, err)
	}
	return int64(deref(p.ApproximateMessagesCount)), nil
}

// HasFolders reports whether the account has a hierarchical namespace; it is true
// where the identity may not see that.
func (a *Account) HasFolders(ctx context.Context) (bool, error) { return a.hasFolders(ctx) }
