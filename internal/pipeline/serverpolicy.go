package pipeline

import (
	"context"
	"errors"
	"fmt"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// configLooker is an Exporter that can say in which state the server's own
// de-identification configuration is.
type configLooker interface {
	AnonymizationConfig(ctx context.Context, name string) (storage.ETag, error)
}

// preflightServerPolicy looks, where the server is to de-identify what it exports,
// whether its configuration is there and is the one that was pinned: the server
// would find out only after the run has waited for it. Where none was pinned, the
// run pins what is there now. Where one may not look, the server will tell.
func (p *Pipeline) preflightServerPolicy(ctx context.Context, run *ledger.Run) error {
	name, pinned := run.Request.AnonymizationConfig, run.Request.AnonymizationConfigETag
	looker, ok := p.Exporter.(configLooker)
	if name == "" || !ok {
		return nil
	}
	const push = "push the file with `fhirdeid policy push`, and set EXPORT_ANONYMIZATION_ETAG to what it prints"
	etag, err := looker.AnonymizationConfig(ctx, name)
	switch {
	case errors.Is(err, storage.ErrDenied), errors.Is(err, errors.ErrUnsupported):
		return nil
	case errors.Is(err, storage.ErrNotFound):
		return lastingf("server-policy-missing", "the server's configuration %q is not in the container anonymization of its export account; %s", name, push)
	case err != nil:
		return fmt.Errorf("looking at the server's configuration: %w", err)
	case pinned != "" && etag.Bare() != storage.ETag(pinned).Bare():
		return lastingf("server-policy-changed", "the server's configuration %q is not the one of EXPORT_ANONYMIZATION_ETAG: somebody has changed it; look at it, then %s", name, push)
	}
	run.Request.AnonymizationConfigETag = etag.Bare()
	return nil
}

// serverPolicy is the configuration by which the server de-identifies what the
// run exports; nil where it does not.
func serverPolicy(run *ledger.Run) *ServerPolicy {
	r := run.Request
	if r.AnonymizationConfig == "" {
		return nil
	}
	return &ServerPolicy{Name: r.AnonymizationConfig, ETag: storage.ETag(r.AnonymizationConfigETag).Bare()}
}
