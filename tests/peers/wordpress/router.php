<?php
// What a web server's rewrite rules do: files as they are, everything else to index.php.
$root = __DIR__ . '/site';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$is_file = $path !== '/' && is_file($root . $path);
if ($is_file && substr($path, -4) !== '.php') return false;
if (!$is_file) $path = '/index.php';
chdir(dirname($root . $path));
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
require $root . $path;
