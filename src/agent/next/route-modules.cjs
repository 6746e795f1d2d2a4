'use strict';
// Next's route modules, by which the user's code is called. They come compiled, one bundle for each kind and bundler; their classes keep the names of their
// methods (shape.cjs looks whether they call each other as they are known to). Bundles of other kinds that are loaded later are hooked when they are.

const { resolversOf, strangeness } = require('./shape.cjs');

module.exports = function (next) {
  const kHooked = Symbol('vsim.hooked');

  // [pattern, hook]. `on`: what handlers.cjs makes of it.
  function hooksOfRouteModules(on) {
    const { guard, lacks } = on;
    const watched = new WeakSet();

    function hookRouteModules(real) {
      const hooks = {
        AppRouteRouteModule: hookAppRoute,
        AppPageRouteModule: hookAppPage,
        PagesAPIRouteModule: hookPagesApi,
        PagesRouteModule: hookPages,
      };
      for (const [name, hook] of Object.entries(hooks)) {
        const prototype = real[name]?.prototype;
        if (!prototype || Object.hasOwn(prototype, kHooked)) continue;
        prototype[kHooked] = true;
        const strange = guard('shape', () => strangeness(name, prototype));
        if (strange) lacks(name);
        if (!guard(name, () => hook(prototype))) lacks(name);
      }
    }

    // 14, 15: resolve(method); 16: resolveHandler(method) and, Turbopack, resolveHandlerFromUserland(method, userland); 16.2 with Turbopack:
    // async resolveWithGetter(method, getUserland). Whatever resolves is taken for one of these: a name of its own gives a handler too.
    function hookAppRoute(prototype) {
      const names = resolversOf(prototype);
      for (const name of names) {
        const resolve = prototype[name];
        prototype[name] = function (...args) {
          const resolved = resolve.apply(this, args);
          const invocation = on.invocationOf(this.definition);
          if (!invocation) return resolved;
          if (typeof resolved?.then !== 'function') return on.handlerOf(invocation, resolved, () => args[1] ?? this.userland);
          return resolved.then(async (handler) => {
            const userland = typeof args[1] === 'function' ? await args[1]() : args[1];  // there already: the handler is of it
            return on.handlerOf(invocation, handler, () => userland ?? this.userland);
          });
        };
      }
      for (const name of ['handle', 'execute']) noteCalls(prototype, name);  // 14: execute
      return names.length > 0;
    }

    function noteCalls(prototype, name) {
      const run = prototype[name];
      if (typeof run !== 'function') return;
      prototype[name] = function (...args) {
        const invocation = on.invocationOf(this.definition);
        if (invocation) on.handled(invocation);
        return Reflect.apply(run, this, args);
      };
    }

    // A loader tree is [segment, parallel routes, {layout: [load, path], page: [load, path], …}]. The render loads its modules one by one, the page last, and
    // calls none of them before. A Server Action comes before all of it: it begins when its module is there.
    function hookAppPage(prototype) {
      return beforeRender(prototype, (invocation, routeModule, [, , context]) => {
        if (invocation.began) return;
        const tree = routeModule.userland?.loaderTree;
        if (!Array.isArray(tree)) return on.begins(invocation);
        watchTree(tree);
        if (!invocation.readOnly) watchActions(context?.renderOpts?.ComponentMod?.__next_app__);
      });
    }

    function watchTree(tree) {
      const [, parallel = {}, modules = {}] = tree;
      for (const [role, module] of Object.entries(modules)) {
        if (!Array.isArray(module) || module.length !== 2 || typeof module[0] !== 'function' || watched.has(module)) continue;
        watched.add(module);
        const load = module[0];
        module[0] = function (...args) {
          return on.loadsSegment(role, module[1], () => Reflect.apply(load, this, args));
        };
      }
      Object.values(parallel).forEach((child) => watchTree(child));
    }

    function watchActions(app) {
      if (typeof app?.require !== 'function' || watched.has(app)) return;
      watched.add(app);
      const load = app.require;
      app.require = function (...args) {
        return on.loadsAction(args[0], load, () => Reflect.apply(load, this, args));
      };
    }

    function hookPages(prototype) {
      return beforeRender(prototype, (invocation, routeModule, [, , context]) => on.rendersPage(invocation, pageOf(routeModule, context?.renderOpts)), renderNothing);
    }

    // render.js takes getStaticProps from its options, and makes isSSG and isAutoExport of these.
    function pageOf(routeModule, renderOpts) {
      const { default: component, getServerSideProps } = routeModule.userland ?? {};
      const App = routeModule.components?.App;
      return {
        page: routeModule.definition?.page,
        isKnown: renderOpts !== undefined && renderOpts !== null,
        asksServer: Boolean(renderOpts?.getServerSideProps),
        isOfBuild: Boolean(renderOpts?.getStaticProps),
        isPlain: !renderOpts?.Component?.getInitialProps && (!App || App.getInitialProps === App.origGetInitialProps),
        functions: [getServerSideProps, component?.getInitialProps, component],
        watchProps: (told) => watchProps(renderOpts, told),
      };
    }

    function watchProps(renderOpts, told) {
      const real = renderOpts?.getStaticProps;
      if (typeof real !== 'function') return;
      renderOpts.getStaticProps = async function (...args) {
        const result = await Reflect.apply(real, this, args);
        told(result, args[0]);
        return result;
      };
    }

    // PagesRouteModule.render(req, res, {renderOpts}), components {App, Document}.
    function renderNothing(routeModule, [req, res, context, ...rest], render) {
      const nothing = () => null;
      const { getServerSideProps, getStaticProps, getStaticPaths, ...renderOpts } = context.renderOpts ?? {};
      const stub = Object.create(routeModule, { components: { value: { ...routeModule.components, App: nothing } } });
      return render(stub, [req, res, { ...context, renderOpts: { ...renderOpts, Component: nothing, App: nothing } }, ...rest]);
    }

    // The body is parsed before the handler is called: the handler itself is wrapped.
    function hookPagesApi(prototype) {
      return beforeRender(prototype, (_, routeModule) => {
        const { userland } = routeModule;
        if (userland[kHooked] || typeof userland.default !== 'function') return;
        const wrapped = Object.create(userland, {
          [kHooked]: { value: true },
          default: { value: on.apiHandlerOf(userland.default), enumerable: true },
        });
        Object.defineProperty(routeModule, 'userland', { value: wrapped, configurable: true });  // 16: a getter
      });
    }

    function beforeRender(prototype, action, warm) {
      if (typeof prototype.render !== 'function') return false;
      // 16.4: an app page that is static by force is rendered by prerender().
      for (const name of ['render', 'prerender']) {
        const render = prototype[name];
        if (typeof render !== 'function') continue;
        prototype[name] = function (...args) {
          const invocation = on.invocationOf(this.definition);
          if (invocation) on.handled(invocation);
          if (invocation) guard('render', () => action(invocation, this, args));
          if (invocation?.isWarming && warm) return warm(this, args, (routeModule, given) => render.apply(routeModule, given));
          return render.apply(this, args);
        };
      }
      return true;
    }

    return [[/[\\/]compiled[\\/]next-server[\\/](app-route|app-page|pages-api|pages)[a-z-]*\.runtime\.dev\.js$/, hookRouteModules]];
  }

  // Before anything is asked: whether the hooks have met the class that route handlers are called by.
  function hasMetRouteModules() {
    const found = next.loadFirst(`server/${next.kRouteModules}/app-route/module.compiled.js`)?.AppRouteRouteModule;
    return Boolean(found && Object.hasOwn(found.prototype, kHooked));
  }

  return { hooksOfRouteModules, hasMetRouteModules, kRouteModules: 'route-modules' };
};
