package storage

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// azureContainer is a container of Azure Storage.
type azureContainer struct {
	account *Account
	name    string
	client  *container.Client
}

func (c *azureContainer) Name() string { return c.name }

func (c *azureContainer) fault(doing, name string, err error) error {
	return c.account.fault(doing+" "+c.name+"/"+name, err)
}

func (c *azureContainer) Get(ctx context.Context, name string) ([]byte, Info, error) {
	body, info, err := c.Open(ctx, name, "")
	if err != nil {
		return nil, Info{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, Info{}, c.fault("reading", name, err)
	}
	return data, info, nil
}

func (c *azureContainer) Head(ctx context.Context, name string) (Info, error) {
	r, err := c.client.NewBlobClient(name).GetProperties(ctx, nil)
	if err != nil {
		return Info{}, c.fault("looking at", name, err)
	}
	return Info{
		Name: name, Size: deref(r.ContentLength), ETag: etagOf(r.ETag), Modified: deref(r.LastModified), Metadata: lowerKeys(r.Metadata),
	}, nil
}

func (c *azureContainer) Open(ctx context.Context, name string, match ETag) (io.ReadCloser, Info, error) {
	options := &blob.DownloadStreamOptions{}
	if match != "" {
		options.AccessConditions = matching(match)
	}
	r, err := c.client.NewBlobClient(name).DownloadStream(ctx, options)
	if err != nil {
		return nil, Info{}, c.fault("opening", name, err)
	}
	info := Info{
		Name: name, Size: deref(r.ContentLength), ETag: etagOf(r.ETag), Modified: deref(r.LastModified), Metadata: lowerKeys(r.Metadata),
	}
	if r.Body == nil {
		return nil, info, fmt.Errorf("opening %s/%s in %s: the storage sent no body", c.name, name, c.account.name)
	}
	// The retry reader goes on at the same byte under the same ETag.
	return &faultReader{ReadCloser: r.NewRetryReader(ctx, &blob.RetryReaderOptions{MaxRetries: 5}), c: c, name: name}, info, nil
}

// faultReader turns the errors of a stream into those of this package.
type faultReader struct {
	io.ReadCloser
	c    *azureContainer
	name string
}

func (r *faultReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.c.fault("reading", r.name, err)
	}
	return n, err
}

func (c *azureContainer) Put(ctx context.Context, name string, data []byte, o PutOptions) (ETag, error) {
	if err := checkMetadata(o.Metadata); err != nil {
		return "", err
	}
	r, err := c.client.NewBlockBlobClient(name).Upload(ctx, streamingBody(data), &blockblob.UploadOptions{
		HTTPHeaders:      headers(o),
		Metadata:         pointers(o.Metadata),
		AccessConditions: o.If.azure(),
	})
	if err != nil {
		return "", c.fault("writing", name, err)
	}
	return etagOf(r.ETag), nil
}

func (c *azureContainer) Delete(ctx context.Context, name string) error {
	_, err := c.client.NewBlobClient(name).Delete(ctx, nil)
	if err != nil {
		if err = c.fault("deleting", name, err); isNotFound(err) {
			return nil
		}
	}
	return err
}

func (c *azureContainer) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		pager := c.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{
			Prefix:  to.Ptr(prefix),
			Include: container.ListBlobsInclude{Metadata: true},
		})
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if err != nil {
				yield(Info{}, c.fault("listing", prefix, err))
				return
			}
			for _, item := range page.Segment.BlobItems {
				info := Info{Name: deref(item.Name), Metadata: lowerKeys(item.Metadata)}
				if info.Metadata["hdi_isfolder"] == "true" {
					continue // an account with hierarchical namespace lists its folders too
				}
				if p := item.Properties; p != nil {
					info.Size, info.ETag, info.Modified = deref(p.ContentLength), quoted(p.ETag), deref(p.LastModified)
				}
				if !yield(info, nil) {
					return
				}
			}
		}
	}
}

// Copy is made by the server from block to block ("Copy Blob"), which within an
// account is done at once and needs no right beyond the account's.
func (c *azureContainer) Copy(ctx context.Context, src Container, srcName string, srcMatch ETag, name string, o PutOptions) (ETag, error) {
	from, ok := src.(*azureContainer)
	if !ok || from.account.BlobServiceURL() != c.account.BlobServiceURL() {
		return "", fmt.Errorf("copying to %s/%s: the source is in another account", c.name, name)
	}
	if err := checkCopyMetadata(o.Metadata); err != nil {
		return "", err
	}
	options := &blob.StartCopyFromURLOptions{Metadata: pointers(o.Metadata), AccessConditions: o.If.azure()}
	if srcMatch != "" {
		options.SourceModifiedAccessConditions = &blob.SourceModifiedAccessConditions{SourceIfMatch: to.Ptr(azcore.ETag(srcMatch))}
	}
	target := c.client.NewBlobClient(name)
	r, err := target.StartCopyFromURL(ctx, from.client.NewBlobClient(srcName).URL(), options)
	if err != nil {
		return "", c.fault("copying to", name, err)
	}
	etag, status := etagOf(r.ETag), deref(r.CopyStatus)
	for status == blob.CopyStatusTypePending {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(copyPoll):
		}
		p, err := target.GetProperties(ctx, nil)
		if err != nil {
			return "", c.fault("waiting for the copy to", name, err)
		}
		etag, status = etagOf(p.ETag), deref(p.CopyStatus)
	}
	if status != blob.CopyStatusTypeSuccess {
		return "", fmt.Errorf("copying to %s/%s in %s: the storage ended the copy as %q", c.name, name, c.account.name, status)
	}
	return etag, nil
}

// copyPoll is how often a copy that is not done at once is looked at.
const copyPoll = 200 * time.Millisecond

func (c Condition) azure() *blob.AccessConditions {
	switch {
	case c.absent:
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
	case c.match != "":
		return matching(c.match)
	}
	return nil
}

func matching(etag ETag) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: to.Ptr(azcore.ETag(etag))}}
}

func headers(o PutOptions) *blob.HTTPHeaders {
	if o.ContentType == "" {
		return nil
	}
	return &blob.HTTPHeaders{BlobContentType: to.Ptr(o.ContentType)}
}

func etagOf(e *azcore.ETag) ETag { return quoted(e) }

// quoted gives ETags one form: listings leave the quotes out.
func quoted(e *azcore.ETag) ETag {
	if e == nil || *e == "" {
		return ""
	}
	s := string(*e)
	if !strings.HasPrefix(s, `"`) {
		s = `"` + s + `"`
	}
	return ETag(s)
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = to.Ptr(v)
	}
	return out
}

func lowerKeys(m map[string]*string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[strings.ToLower(k)] = deref(v)
	}
	return out
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
