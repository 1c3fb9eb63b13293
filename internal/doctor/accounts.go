package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"fhirdeid/internal/storage"
)

// Account is a storage account, for remedies.
type Account struct {
	// Endpoint is its blob endpoint.
	Endpoint string
	// Local is whether it is an emulator on this machine.
	Local bool
}

// name is the account's name as commands want it.
func (a Account) name() string {
	u, err := url.Parse(a.Endpoint)
	if err != nil {
		return "ACCOUNT"
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	return name
}

const localRemedy = "go run ./infra/local --keep"

// grant is the command that gives a role on the account.
func (a Account) grant(role string) string {
	if a.Local {
		return localRemedy
	}
	return fmt.Sprintf("az role assignment create --role %q --assignee YOU --scope \"$(az storage account show --name %s --query id --output tsv)\"; roles take some minutes to hold", role, a.name())
}

// Container looks whether a container is there and can be read; and written, where
// that is to be tried.
func Container(a Account, c storage.Container, write bool) Check {
	return Check{"container " + c.Name(), func(ctx context.Context) Result {
		missing := fmt.Sprintf("az storage container create --account-name %s --name %s --auth-mode login; or deploy the templates again", a.name(), c.Name())
		if a.Local {
			missing = localRemedy
		}
		role := "Storage Blob Data Reader"
		if write {
			role = "Storage Blob Data Contributor"
		}
		for _, err := range c.List(ctx, probeName) {
			if err != nil {
				return of(err, missing, a.grant(role))
			}
			break
		}
		if !write {
			return ok("is there and can be read")
		}
		if _, err := c.Put(ctx, probeName, nil, storage.PutOptions{}); err != nil {
			return of(err, missing, a.grant(role))
		}
		if err := c.Delete(ctx, probeName); err != nil {
			return of(err, missing, a.grant(role))
		}
		return ok("is there, can be read and written")
	}}
}

// probeName is a blob that is written and deleted again.
const probeName = ".doctor"

// queueLooker says how many messages a queue has: a *storage.Account.
type queueLooker interface {
	QueueLength(ctx context.Context, name string) (int64, error)
}

// Queue looks whether a queue is there, and whether messages of it were given up.
func Queue(a Account, q queueLooker, name string) Check {
	return Check{"queue " + name, func(ctx context.Context) Result {
		missing := fmt.Sprintf("az storage queue create --account-name %s --name %s --auth-mode login; or deploy the templates again", a.name(), name)
		if a.Local {
			missing = localRemedy
		}
		role := a.grant("Storage Queue Data Reader")
		waiting, err := q.QueueLength(ctx, name)
		if err != nil {
			return of(err, missing, role)
		}
		poison, err := q.QueueLength(ctx, name+"-poison")
		switch {
		case errors.Is(err, storage.ErrNotFound): // the host makes it with its first message
		case err != nil:
			return of(err, missing, role)
		case poison > 0:
			return fault(fmt.Sprintf("%d messages were given up by the host after five tries", poison),
				fmt.Sprintf("Look at what failed (log line \"invocation failed\"); then: az storage message clear --account-name %s --queue-name %s-poison --auth-mode login (with the role \"Storage Queue Data Contributor\"). The heartbeat asks again for what is missing", a.name(), name))
		}
		return ok(fmt.Sprintf("is there, about %d messages wait", waiting))
	}}
}

// folderLooker says whether an account has a hierarchical namespace.
type folderLooker interface {
	HasFolders(ctx context.Context) (bool, error)
}

// Folders looks whether releases can be shared one by one.
func Folders(a Account, l folderLooker) Check {
	return Check{"lake folders", func(ctx context.Context) Result {
		if a.Local {
			return skipped("the emulator has no hierarchical namespace, so releases cannot be shared from here")
		}
		has, err := l.HasFolders(ctx)
		switch {
		case err != nil:
			return of(err, "", a.grant("Storage Blob Data Reader"))
		case !has:
			return warning("the lake account has no hierarchical namespace, so `fhirdeid share` cannot hand out one release alone", "Make the lake account anew with the hierarchical namespace (isHnsEnabled): it cannot be taken back or added by this program")
		}
		return ok("the lake account has a hierarchical namespace, as far as can be seen")
	}}
}

// ExportAccount looks whether the server's export container can be read.
func ExportAccount(a Account, c storage.Container) Check {
	return Check{"export account", func(ctx context.Context) Result {
		if c == nil {
			return skipped("ExportStorage or EXPORT_CONTAINER is not set, so there is nothing to try")
		}
		for _, err := range c.List(ctx, probeName) {
			if err != nil {
				return of(err, fmt.Sprintf("az storage container create --account-name %s --name %s --auth-mode login", a.name(), c.Name()), a.grant("Storage Blob Data Reader"))
			}
			break
		}
		return ok("the container " + c.Name() + " can be read")
	}}
}
