package vivavoce

import (
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	userv1 "vivavoce.example/go/gen/vivavoce/user/v1"
)

const (
	// What personal access tokens begin with; each time one is shown it is exchanged anew.
	lastingPrefix = "vvk_"
	callTimeout   = 10 * time.Second
)

// access proves who calls, and goes on doing so however long it lasts.
type access struct {
	user    userv1.UserServiceClient
	client  string
	mu      sync.Mutex
	token   string
	refresh string
}

// current gives a token; it makes a new guest where nobody signed in.
func (a *access) current(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" {
		return a.token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	made, err := a.user.CreateGuest(ctx, &userv1.CreateGuestRequest{Client: a.client})
	if err != nil {
		return "", ErrorOf(err)
	}
	return a.keep(made.GetTokens()), nil
}

// logIn takes the place of whoever was signed in before.
func (a *access) logIn(ctx context.Context, email, password string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request := &userv1.LogInRequest{Email: email, Password: password, Client: a.client}
	answer, err := a.user.LogIn(ctx, request)
	if err != nil {
		return ErrorOf(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(answer.GetTokens())
	return nil
}

// renew gives a token that holds for a while again, in place of the one that was used; TOKEN_INVALID where there is
// nothing to renew it by.
func (a *access) renew(ctx context.Context, used string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != used || strings.HasPrefix(used, lastingPrefix) {
		// Somebody else was faster, or there is no need.
		return a.token, nil
	}
	if a.refresh == "" {
		return "", &Error{
			Message: "The access token expires; give a personal access token to go on longer.",
			Reason:  "TOKEN_INVALID",
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := a.user.RefreshTokens(ctx, &userv1.RefreshTokensRequest{RefreshToken: a.refresh})
	if err != nil {
		return "", ErrorOf(err)
	}
	return a.keep(answer.GetTokens()), nil
}

func (a *access) keep(tokens *userv1.Tokens) string {
	a.token, a.refresh = tokens.GetAccessToken(), tokens.GetRefreshToken()
	return a.token
}

func authorized(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// intercept makes unary calls in the person's name, once more with a fresh token where the old one has expired. Calls
// that sign in need none.
func (a *access) intercept(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker,
	options ...grpc.CallOption,
) error {
	if signsIn(method) {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	token, err := a.current(ctx)
	if err != nil {
		return err
	}
	err = invoke(authorized(ctx, token), method, request, reply, conn, options...)
	if err == nil || ReasonOf(ErrorOf(err)) != "TOKEN_INVALID" {
		return err
	}
	fresh, renewing := a.renew(ctx, token)
	if renewing != nil || fresh == token {
		return err
	}
	return invoke(authorized(ctx, fresh), method, request, reply, conn, options...)
}

func signsIn(method string) bool {
	switch method {
	case userv1.UserService_CreateGuest_FullMethodName,
		userv1.UserService_LogIn_FullMethodName,
		userv1.UserService_RefreshTokens_FullMethodName:
		return true
	default:
		return false
	}
}
