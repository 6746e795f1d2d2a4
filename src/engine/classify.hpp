// Is a request the dev server's own business? (docs/next-dev.md, "Dev-internal traffic".) Pure; asked for
// every request.
#pragma once

#include <string_view>

namespace vsim::engine {

// `path` without its query. True for paths that contain /_next/ or /__nextjs, wherever basePath or
// assetPrefix put them, HMR sockets among them, and for Chrome's DevTools probe. /_next/data/ is false: it
// runs getServerSideProps. A path with a dot segment is none: what it resolves to may be a function.
bool is_dev_internal(std::string_view path);

}  // namespace vsim::engine
