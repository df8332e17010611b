// Whether the page can be used: its scripts have run, and no part of it is
// being exchanged at this moment.
const [page] = performance.getEntriesByType("navigation");
if (page && location.protocol.startsWith("http") && page.domContentLoadedEventEnd === 0) return false;
return !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling");
