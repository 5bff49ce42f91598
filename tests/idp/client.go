package main

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	confidentialClient = "console"
	publicClient       = "console-public"
)

// client is one of the two, told apart by its id.
type client string

func (c client) GetID() string { return string(c) }

func (c client) AuthMethod() oidc.AuthMethod {
	if c == publicClient {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// RedirectURIGlobs lets a test choose its port after the provider has started.
func (client) RedirectURIGlobs() []string {
	return []string{"http*://localhost:*/**", "http*://127.0.0.1:*/**"}
}

func (client) RedirectURIs() []string               { return nil }
func (client) PostLogoutRedirectURIs() []string     { return nil }
func (client) PostLogoutRedirectURIGlobs() []string { return nil }
func (client) ApplicationType() op.ApplicationType  { return op.ApplicationTypeWeb }
func (client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (client) LoginURL(id string) string           { return "/login?id=" + id }
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (client) IDTokenLifetime() time.Duration      { return 5 * time.Minute }
func (client) ClockSkew() time.Duration            { return 0 }

// DevMode allows plain HTTP.
func (client) DevMode() bool { return true }

func (client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return all }
func (client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return all }
func (client) IsScopeAllowed(scope string) bool                             { return scope == scopeGroups }

// IDTokenUserinfoClaimsAssertion has everything in the ID token, as most providers do.
func (client) IDTokenUserinfoClaimsAssertion() bool { return true }

func all(scopes []string) []string { return scopes }
