package storage

import (
	"context"
	"encoding/base64"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
)

// azureQueue is a queue of Azure Storage. The Functions host expects base64,
// which the SDK leaves to the caller.
type azureQueue struct {
	account *Account
	name    string
	client  *azqueue.QueueClient
}

func (q *azureQueue) Name() string { return q.name }

// maxDelay is Azure's limit on how long a message may stay invisible.
const maxDelay = 7 * 24 * time.Hour

func (q *azureQueue) Send(ctx context.Context, body []byte, delay time.Duration) error {
	seconds := int32(min(max(delay, 0), maxDelay).Round(time.Second) / time.Second)
	_, err := q.client.EnqueueMessage(ctx, base64.StdEncoding.EncodeToString(body), &azqueue.EnqueueMessageOptions{
		VisibilityTimeout: to.Ptr(seconds),
		TimeToLive:        to.Ptr(int32(-1)),
	})
	if err != nil {
		return q.account.fault("sending to the queue "+q.name, err)
	}
	return nil
}
