// A real OpenID provider for the story: the npm package `oidc-provider`, with
// its forms for development. Arguments: the place of the packages, the port,
// the redirect URI, where one goes after signing out.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [place, port, redirect, after] = process.argv.slice(2);
const require = createRequire(`${place}/package.json`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'postroom',
      client_secret: 'a secret: of the story',
      redirect_uris: [redirect],
      post_logout_redirect_uris: [after],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
  ],
  cookies: { keys: ['story'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true, methods: ['S256'] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  async findAccount(_ctx, id) {
    return {
      accountId: id,
      async claims() {
        return {
          sub: id,
          email: `${id}@crm.test`,
          email_verified: id !== 'mallory',
          name: id,
          groups: id === 'ann' ? ['sales'] : [],
        };
      },
    };
  },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
